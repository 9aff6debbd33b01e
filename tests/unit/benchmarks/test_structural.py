import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import structural
from growth import exponent
from support.counting import count
from support.imports import loaded, unwanted


def counted(value: float) -> Iterator[tuple[str, float, str]]:
    yield "round-trips-unchanged", value, "round trips"


@pytest.mark.parametrize(("beyond", "status"), [(0, 0), (1, 1)])
def test_it_fails_where_a_limit_is_passed(
    beyond: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = structural.limits()["round-trips-unchanged"].limit
    monkeypatch.setattr(structural, "counted", lambda work: counted(limit + beyond))
    monkeypatch.setattr(sys, "argv", ["structural.py"])
    with pytest.raises(SystemExit) as end:
        structural.main()
    assert end.value.code == status
    assert ("bench-quick: round trips" in capsys.readouterr().err) is bool(status)


def test_every_limit_has_a_reason() -> None:
    assert all(len(limit.reason) > 10 for limit in structural.limits().values())


def test_what_the_program_does_in_its_files_is_counted(tmp_path: Path) -> None:
    (tmp_path / "Inbox").write_bytes(b"From a@b Sat Mar  9 12:30:05 2024\nSubject: x\nFrom: a@b\n\nbody\n")
    words = ["check", "--local", tmp_path / "Inbox", "--server", "imap://u@127.0.0.1:9", "--password-command", "echo x"]
    did = count(tmp_path / "home", *words, statuses=(2,))
    assert did.status == 2
    assert "hikkoshi.cli.check" in did.modules
    assert did.read > 1000


def test_the_listing_of_imports_is_read() -> None:
    errors = (
        b"import time:       100 |        200 |   textual.app\nimport time: self [us] | cumulative | imported package\n"
    )
    assert loaded(errors + b"import time: 1 | 2 | json\n") == {"textual.app", "json"}
    assert unwanted({"textual.app", "json", "richer"}) == {"textual.app"}


def test_an_exponent_is_the_slope_on_logarithms() -> None:
    assert exponent({10: 3.0, 100: 30.0, 1000: 300.0}) == pytest.approx(1.0)
    assert exponent({10: 1.0, 100: 100.0}) == pytest.approx(2.0)
    assert exponent({10: 1.0, 100: 1.0, 1000: 1.0}) == pytest.approx(0.0)
