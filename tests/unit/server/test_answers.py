"""What servers answer, in their own words, and what that says about going on."""

import pytest

from hikkoshi.errors import CommandRefused, ConnectFailed, LocalChanged, LoginRefused
from hikkoshi.server import failures
from hikkoshi.server.answers import Answer, Says, read_answer, read_error
from hikkoshi.server.login import Login

LOGIN = Login("example.jp", 993, "mei", "secret", "tls")

ANSWERS = [
    # Microsoft 365
    ("", "Request is throttled. Suggested Backoff Time: 299609 milliseconds", Answer(Says.LATER, 299.609)),
    ("", "h7 BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds", Answer(Says.LATER, 89.117)),
    ("", "Server Unavailable. 15", Answer(Says.LATER)),
    ("", "User is authenticated but not connected.", Answer(Says.LATER, crowded=True)),
    ("", "Command Argument Error. 11", Answer(Says.MAIL)),
    # Gmail
    ("THROTTLED", "", Answer(Says.LATER)),
    ("", "Success [THROTTLED]", Answer(Says.LATER)),
    ("OVERQUOTA", "Account exceeded command or bandwidth limits.", Answer(Says.LATER)),
    ("ALERT", "Account exceeded command or bandwidth limits. (Failure)", Answer(Says.LATER)),
    ("", "[OVERQUOTA] Account exceeded command or bandwidth limits.", Answer(Says.LATER)),
    ("ALERT", "Too many simultaneous connections. (Failure)", Answer(Says.LATER, crowded=True)),
    ("UNAVAILABLE", "Temporary System Problem (Failure)", Answer(Says.LATER)),
    ("TOOBIG", "Message too large (Failure)", Answer(Says.MAIL, too_large=True)),
    # Dovecot 2.2 and 2.3
    ("OVERQUOTA", "Quota exceeded (mailbox for user is full)", Answer(Says.FULL)),
    ("LIMIT", "Mail size is larger than the maximum size allowed by server configuration", Answer(Says.MAIL, too_large=True)),
    ("LIMIT", "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)",
     Answer(Says.LATER, crowded=True)),
    ("UNAVAILABLE", "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=16)",
     Answer(Says.LATER, crowded=True)),
    ("SERVERBUG", "Timeout while waiting for lock", Answer(Says.LATER)),
    ("SERVERBUG", "Internal error occurred. Refer to server log for more information.", Answer(Says.UNCLEAR)),
    ("INUSE", "Mailbox is in use", Answer(Says.LATER)),
    ("TRYCREATE", "Mailbox doesn't exist: Nope", Answer(Says.NO_FOLDER)),
    ("", "Mailbox was deleted under us (0.001 + 0.000 secs).", Answer(Says.NO_FOLDER)),
    ("", "Can't save a zero byte message", Answer(Says.MAIL)),
    ("", "Server shutting down.", Answer(Says.MAIL)),
    # Cyrus
    ("TOOBIG", "Message size exceeds fixed limit", Answer(Says.MAIL, too_large=True)),
    ("", "Message contains NUL characters", Answer(Says.MAIL)),
    ("", "Message contains invalid header", Answer(Says.MAIL)),
    ("", "Over quota", Answer(Says.FULL)),
    # Courier
    ("ALERT", "You exceeded your mail quota.", Answer(Says.FULL)),
    ("", "[TRYCREATE] Must create mailbox before append", Answer(Says.NO_FOLDER)),
    # iCloud, for some dates; and codes that come without a text
    ("UNAVAILABLE", "Unexpected exception", Answer(Says.UNCLEAR)),
    ("LIMIT", "", Answer(Says.UNCLEAR)),
    ("LIMIT", "Rate limit hit", Answer(Says.LATER)),
    ("unavailable", "", Answer(Says.UNCLEAR)),
    ("", "", Answer(Says.MAIL)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "words", "expected"), ANSWERS)
def test_answers_of_real_servers(code: str, words: str, expected: Answer) -> None:
    assert read_answer(code, words) == expected


def test_a_mail_that_is_quoted_far_behind_is_no_code() -> None:
    assert read_answer("", "Cannot parse: " + "x" * 300 + " [THROTTLED]").says is Says.MAIL


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (failures.refused("No", b"[INUSE] Wait"), Answer(Says.LATER)),
        (failures.broken("x", b"h1 BAD Suggested Backoff Time: 1500 milliseconds"), Answer(Says.LATER, 1.5)),
        (failures.lost("x", b"[OVERQUOTA] Account exceeded command or bandwidth limits."), Answer(Says.LATER)),
        (failures.lost("x", b"Server shutting down."), Answer(Says.MAIL)),
        (failures.lost("x"), Answer(Says.MAIL)),
        (failures.turned_away(LOGIN, b" Too many connections"), Answer(Says.LATER, crowded=True)),
        (failures.login_refused(LOGIN, "[LIMIT] No more"), Answer(Says.LATER, crowded=True)),
        (failures.login_refused(LOGIN, "[UNAVAILABLE] Later"), Answer(Says.LATER)),
        (failures.login_refused(LOGIN, "[AUTHENTICATIONFAILED] Authentication failed."), Answer(Says.MAIL)),
        (LocalChanged("it is throttled"), Answer(Says.MAIL)),
    ],
)
def test_errors_keep_the_servers_words(error: Exception, expected: Answer) -> None:
    assert read_error(error) == expected


def test_no_error_keeps_the_password() -> None:
    echo = "[UNAVAILABLE] LOGIN mei secret failed"
    for error in (failures.login_refused(LOGIN, echo), failures.turned_away(LOGIN, echo.encode())):
        assert isinstance(error, LoginRefused | ConnectFailed)
        assert "secret" not in error.words
    assert CommandRefused("No").words == ""
