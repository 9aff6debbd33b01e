"""What the commands print, and what no output may do."""

import json

import pytest

from hikkoshi.cli.output import print_json, say


def test_json_is_one_object_in_utf_8_whatever_is_in_it(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    value = {"name": "見積 \x1b[2J \x9b \u202e \u2028 \ud800 \"'\\", "count": 1, "none": None}

    print_json(value)
    out = capfdbinary.readouterr().out

    assert json.loads(out) == value
    assert "見積".encode() in out
    text = out.decode()
    assert not set("\x1b\x9b\u202e\u2028") & set(text)
    assert out.endswith(b"}\n")


def test_nothing_that_is_said_acts_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\x1b[31m\ntwo\u202e\r\x9b")
    err = capsys.readouterr().err

    assert err.count("\n") == 2
    assert not set("\x1b\x9b\u202e\r") & set(err)


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        encoding = "utf-8"

        def write(self, _text: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stderr", Gone())
    say("hello")
