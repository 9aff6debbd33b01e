"""What is set for the whole process is set back, whatever happens."""

import gc

import pytest

from hikkoshi.jobs.garbage import seldom_collected


def test_the_thresholds_come_back_also_after_an_error() -> None:
    before = gc.get_threshold()
    during = []

    def fail() -> None:
        with seldom_collected():
            during.append(gc.get_threshold()[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert during[0] > before[0]
    assert gc.get_threshold() == before


def test_a_collector_that_is_off_stays_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with seldom_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
