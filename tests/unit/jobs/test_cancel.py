import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from hikkoshi.errors import Cancelled
from hikkoshi.jobs.cancel import Cancel, cancel_on_signals

SIGNALS = [name for name in ("SIGHUP", "SIGTERM", "SIGINT") if hasattr(signal, name)]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {name: signal.getsignal(getattr(signal, name)) for name in SIGNALS}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


def test_work_goes_on_until_it_is_asked_to_stop() -> None:
    cancel = Cancel()
    cancel.check()
    assert not cancel.is_set()
    cancel.set("user")
    assert cancel.is_set()
    with pytest.raises(Cancelled):
        cancel.check()


def test_the_first_reason_stands() -> None:
    cancel = Cancel()
    cancel.set()
    cancel.set("SIGHUP")
    cancel.set("user")
    assert cancel.reason == "SIGHUP"


def test_waiting_ends_at_its_time_without_a_cancel() -> None:
    cancel = Cancel()
    assert not cancel.wait(0.01)
    assert not cancel.wait(0)
    assert not cancel.wait(-1)


def test_a_cancel_ends_the_waiting_of_all_threads() -> None:
    cancel, answers = Cancel(), []
    threads = [threading.Thread(target=lambda: answers.append(cancel.wait(30))) for _ in range(3)]
    for thread in threads:
        thread.start()
    cancel.set("user")
    for thread in threads:
        thread.join(10)
    assert answers == [True, True, True]
    assert cancel.wait(30)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_a_wait_and_is_the_reason(name: str) -> None:
    cancel = Cancel()
    cancel_on_signals(cancel)
    timer = threading.Timer(0.02, os.kill, (os.getpid(), getattr(signal, name)))
    timer.start()
    begun = time.monotonic()
    assert cancel.wait(30)
    timer.join()
    assert time.monotonic() - begun < 10
    assert cancel.reason == name


def test_a_storm_of_signals_while_waiting_blocks_nobody() -> None:
    cancel = Cancel()
    cancel_on_signals(cancel)
    for _ in range(2000):
        signal.raise_signal(signal.SIGTERM)
        cancel.wait(0)
    assert cancel.reason == "SIGTERM"


def test_a_system_without_sighup_keeps_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    cancel = Cancel()
    cancel_on_signals(cancel)
    signal.raise_signal(signal.SIGTERM)
    assert cancel.reason == "SIGTERM"
