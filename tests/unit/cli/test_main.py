"""The entry point: how it ends."""

import subprocess

import pytest

from hikkoshi.cli import checking as check_module
from hikkoshi.cli.main import CRASHED, main
from hikkoshi.errors import LoginRefused
from support.command import PROGRAM

BOTH = ["--local", "/mail", "--server", "imaps://mei@example.jp"]


def test_help_fits_80_columns() -> None:
    for command in ([], ["check"], ["upload"]):
        done = subprocess.run(
            [str(PROGRAM), *command, "--help"],
            env={"COLUMNS": "80", "LANG": "C.UTF-8"}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert max(map(len, done.stdout.splitlines())) <= 80
        if command:
            assert "\n  2  it could not" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nonsense"], "No such command"), (["check", "--nonsense"], "No such option"), (["check"], "Both sides")],
)
def test_what_makes_no_sense_is_2(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_an_error_is_a_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise LoginRefused("Not in \x1b[31mhere.")

    monkeypatch.setattr(check_module, "open_session", fail)
    with pytest.raises(SystemExit) as ended:
        main(["check", *BOTH])

    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert err.startswith("hikkoshi: Not in ")
    assert "\x1b" not in err


def test_a_fault_of_the_program_is_no_answer_and_shows_no_variables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> None:
        password = "kanarienvogel" + "-4711"
        raise KeyError(len(password))

    monkeypatch.setattr(check_module, "open_session", crash)
    with pytest.raises(SystemExit) as ended:
        main(["check", *BOTH])

    err = capsys.readouterr().err
    assert ended.value.code == CRASHED
    assert "kanarienvogel-4711" not in err
    assert "test_main.py" in err
    assert "fault of the program" in err
