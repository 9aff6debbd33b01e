import sys

import click
import pytest

from hikkoshi.accounts.address import parse_address
from hikkoshi.cli import login
from hikkoshi.errors import ConnectFailed, LoginRefused

ADDRESS = parse_address("imaps://taro@mail.example.jp")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at a terminal types, one after another; no keyring."""
    answers: list[str] = []
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr(login, "keyring_password", lambda address: None)
    monkeypatch.setattr(click, "prompt", lambda *_args, **_options: answers.pop(0))
    return answers


def refuse_all_but(right: str):
    def try_login(password: str) -> None:
        if password != right:
            raise LoginRefused("wrong user name or password")

    return try_login


def test_a_password_that_the_server_refuses_is_asked_for_again(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ["wrong", "right"]

    assert login.get_tried_password(ADDRESS, None, refuse_all_but("right")) == ("right", True)
    assert capsys.readouterr().err == "wrong user name or password\n"


def test_three_refusals_are_enough(typed: list[str]) -> None:
    typed += ["a", "b", "c", "d"]

    with pytest.raises(LoginRefused):
        login.get_tried_password(ADDRESS, None, refuse_all_but("right"))
    assert typed == ["d"]


def test_a_kept_password_that_is_refused_is_forgotten(typed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    typed += ["right"]
    forgotten = []
    monkeypatch.setattr(login, "keyring_password", lambda address: "old")
    monkeypatch.setattr(login, "forget_password", forgotten.append)

    assert login.get_tried_password(ADDRESS, None, refuse_all_but("right")) == ("right", True)
    assert forgotten == [ADDRESS]


def test_a_broken_line_is_left_to_the_screen(typed: list[str]) -> None:
    typed += ["right"]

    def fail(_password: str) -> None:
        raise ConnectFailed("no answer")

    assert login.get_tried_password(ADDRESS, None, fail) == ("right", True)


def test_a_commands_password_is_not_tried(typed: list[str]) -> None:
    assert login.get_tried_password(ADDRESS, "echo secret", refuse_all_but("right")) == ("secret", False)
