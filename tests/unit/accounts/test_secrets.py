import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError, PasswordDeleteError

from hikkoshi.accounts import secrets
from hikkoshi.accounts.address import Address
from hikkoshi.errors import SecretError

ADDRESS = Address("imap.example.jp", 993, "taro@example.jp", "tls")


class Kept(KeyringBackend):
    """A keyring in memory; where `hold` is given, nothing is answered until it is set."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, hold: threading.Event | None = None) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], str] = {}
        self.hold = hold

    def _wait(self) -> None:
        if self.hold:
            self.hold.wait(30)

    def get_password(self, service: str, username: str) -> str | None:
        self._wait()
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait()
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.secrets:
            raise PasswordDeleteError("there is none")
        del self.secrets[service, username]


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("printed", "password"),
    [("s3cret\\n", "s3cret"), ("s3cret", "s3cret"), ("s3cret\\r\\nmore\\n", "s3cret"), (" two words \\n", " two words "),
     ("合言葉\\n", "合言葉")],
)  # fmt: skip
def test_the_first_line_that_a_command_prints_is_the_password(printed: str, password: str) -> None:
    assert secrets.run_password_command(f"printf '{printed}'") == password


@pytest.mark.parametrize(
    ("command", "why"),
    [("echo s3cret; exit 3", "status 3"), ("true", "printed nothing"), ("echo; echo s3cret", "printed nothing"),
     ("/no/such/s3cret-command 2>/dev/null", "status 127"), ("printf '%s' s3cret; kill -9 $$", "status -9")],
)  # fmt: skip
def test_a_command_without_a_password_says_why_and_not_what_it_printed(command: str, why: str) -> None:
    with pytest.raises(SecretError, match=why) as error:
        secrets.run_password_command(command)
    assert "s3cret" not in str(error.value)


def test_a_command_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_COMMAND_SECONDS", 0.05)
    with pytest.raises(SecretError, match="TimeoutExpired") as error:
        secrets.run_password_command("exec sleep 60")
    # The exception of subprocess holds the command line.
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_a_password_is_kept_found_and_forgotten() -> None:
    keyring.set_keyring(Kept())
    assert secrets.keyring_usable()
    assert secrets.keyring_password(ADDRESS) is None
    assert secrets.keep_password(ADDRESS, "s3cret")
    assert secrets.keyring_password(ADDRESS) == "s3cret"
    assert secrets.keyring_password(Address("imap.example.jp", 143, "taro@example.jp", "starttls")) is None
    assert secrets.forget_password(ADDRESS)
    assert not secrets.forget_password(ADDRESS)
    assert secrets.keyring_password(ADDRESS) is None


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring])
def test_without_a_keyring_nothing_is_kept_and_nothing_fails(backend: type[KeyringBackend]) -> None:
    keyring.set_keyring(backend())
    assert not secrets.keyring_usable()
    assert secrets.keyring_password(ADDRESS) is None


def test_a_keyring_that_refuses_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: str) -> str:
        raise NoKeyringError("no")

    backend = Kept()
    keyring.set_keyring(backend)
    monkeypatch.setattr(backend, "get_password", refuse)
    monkeypatch.setattr(backend, "set_password", refuse)
    assert secrets.keyring_password(ADDRESS) is None
    assert not secrets.keep_password(ADDRESS, "s3cret")


def test_a_keyring_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_SECONDS", 0.05)
    hold = threading.Event()
    backend = Kept(hold)
    backend.secrets["hikkoshi", "taro@example.jp@imap.example.jp:993"] = "s3cret"
    keyring.set_keyring(backend)
    try:
        assert secrets.keyring_password(ADDRESS) is None
        assert not secrets.keep_password(ADDRESS, "other")
        left = [thread for thread in threading.enumerate() if thread.name == "keyring"]
        assert left
        assert all(thread.daemon for thread in left)
    finally:
        hold.set()
        for thread in threading.enumerate():
            if thread.name == "keyring":
                thread.join(10)


def test_backends_that_ask_on_the_terminal_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kept, "__module__", "keyrings.alt.file")
    keyring.set_keyring(Kept())
    assert not secrets.keyring_usable()
    assert secrets.keyring_password(ADDRESS) is None


def test_a_command_runs_in_a_shell_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("s3cret\nuser: taro\n")
    assert secrets.run_password_command(f"cat {tmp_path}/pass | head -n1") == "s3cret"
