"""Sentences for what goes wrong: clear, harmless to a terminal, and without the password."""

import socket
import ssl
from base64 import b64encode

import pytest

from hikkoshi.server import failures
from hikkoshi.server.login import Login

LOGIN = Login("mail.example.com", 993, "mei", "hunter2")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "No server called mail.example.com"),
        (UnicodeError("label too long"), "No server called"),
        (ConnectionRefusedError(), "takes no connections on port 993"),
        (TimeoutError(), "does not answer on port 993"),
        (OSError(101, "Network is unreachable"), "cannot be reached on port 993: Network is unreachable"),
        (ConnectionResetError(104, "x"), "cut it again"),
        (OverflowError(), "993 is no port"),
    ],
)
def test_a_server_that_was_not_reached(cause: Exception, words: str) -> None:
    assert words in str(failures.unreachable(LOGIN, cause))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (18, "--ca-file"),
        (20, "--ca-file"),
        (10, "expired"),
        (9, "clock"),
        (62, "another name"),
        (64, "another name"),
        (99, "not accepted"),
    ],
)
def test_certificates(code: int, words: str) -> None:
    cause = ssl.SSLCertVerificationError()
    cause.verify_code, cause.verify_message = code, "why\x1b[0m"

    assert words in str(failures.unreachable(LOGIN, cause))
    assert "\x1b" not in str(failures.unreachable(LOGIN, cause))
    assert "password was not sent" in str(failures.unreachable(LOGIN, cause))


def test_a_refusal_quotes_the_server_harmlessly_and_knows_its_code() -> None:
    error = failures.refused(
        "The folder x cannot be opened", b"[OVERQUOTA] full\x1b]0;x\x07 \xe6\x97\xa5" + b"z" * 9999
    )

    assert error.code == "OVERQUOTA"
    assert str(error).startswith("The folder x cannot be opened. The server says: full")
    assert "\x1b" not in str(error)
    assert "日" in str(error)
    assert len(str(error)) < 500


def test_a_password_that_the_server_echoes_is_blotted_out() -> None:
    echoed = "you sent hunter2 and " + b64encode(b"\0mei\0hunter2").decode()

    assert "hunter2" not in str(failures.login_refused(LOGIN, echoed))
    assert "***" in str(failures.login_refused(LOGIN, echoed))
    assert "AG1la" not in str(failures.login_refused(LOGIN, echoed))


def test_too_many_connections_is_not_a_wrong_password() -> None:
    assert "wrong" in str(failures.login_refused(LOGIN, "[AUTHENTICATIONFAILED] no"))
    assert "wrong" not in str(failures.login_refused(LOGIN, "[LIMIT] Too many connections"))


def test_an_answer_that_makes_no_sense_is_quoted_with_one_full_stop() -> None:
    words = "answered with something that makes no sense here: h8 OK Enabled. The connection was closed"
    assert words in str(failures.broken("mail.example.com", b"h8 OK Enabled."))
    assert "here: -. The" in str(failures.broken("mail.example.com", b""))
