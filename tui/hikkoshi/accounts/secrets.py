"""Where a password comes from: a command, the keyring, or the person at the terminal. It is never written to a file."""

import subprocess
import threading
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from hikkoshi.accounts.address import Address
from hikkoshi.errors import SecretError
from hikkoshi.i18n import _

_SERVICE = "hikkoshi"
_SECONDS = 5.0
"""A Secret Service whose daemon cannot start never answers."""
_COMMAND_SECONDS = 60.0
"""Time to type a passphrase that the command may ask for."""

# Backends that keep nothing, and those that ask on the terminal by themselves and would fight with the screen for it.
_NO_BACKENDS = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt", "keyrings.cryptfile")

T = TypeVar("T")


def run_password_command(command: str) -> str:
    """The first line that a shell command prints. Raises `SecretError` if it fails or prints nothing."""
    try:
        # The user's own command line; a shell, as in mbsync's PassCmd and mutt.
        done = subprocess.run(  # noqa: S602
            command, shell=True, stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SecretError(
            _("The password command did not end well ({reason}). Run it by hand to see why.").format(
                reason=type(error).__name__
            )
        ) from None
    if done.returncode:
        raise SecretError(
            _("The password command ended with status {status}. Run it by hand to see why.").format(
                status=done.returncode
            )
        )
    password = done.stdout.decode("utf-8", "replace").split("\n", 1)[0].rstrip("\r")
    if not password:
        raise SecretError(_("The password command printed nothing. Run it by hand to see why."))
    return password


def keyring_password(address: Address) -> str | None:
    """The password that the keyring keeps for this address, None if it keeps none or does not answer."""
    return _in_time(lambda: str(_keyring().get_password(_SERVICE, _name(address)) or "") if _usable() else "") or None


def keyring_usable() -> bool:
    """Whether there is a keyring that can be used without asking on the terminal."""
    return bool(_in_time(_usable))


def keep_password(address: Address, password: str) -> bool:
    """Keep a password in the keyring; whether it did."""

    def keep() -> bool:
        _keyring().set_password(_SERVICE, _name(address), password)
        return True

    return bool(_in_time(keep))


def forget_password(address: Address) -> bool:
    """Take a password that the server refused out of the keyring; whether there was one."""

    def forget() -> bool:
        _keyring().delete_password(_SERVICE, _name(address))
        return True

    return bool(_in_time(forget))


def _name(address: Address) -> str:
    return f"{address.user}@{address.host}:{address.port}"


def _keyring() -> ModuleType:
    # 62 ms to import, 108 with the look-up of a backend: only when it is asked.
    import keyring

    return keyring


def _usable() -> bool:
    return not type(_keyring().get_keyring()).__module__.startswith(_NO_BACKENDS)


def _in_time(ask: Callable[[], T]) -> T | None:
    """The answer of a keyring call, None if it fails or takes too long. The thread is left behind if it hangs."""
    answer: list[T] = []

    def work() -> None:
        try:
            answer.append(ask())
        except Exception as error:  # noqa: BLE001 - backends raise what they like; none of it may stop a login
            del error

    thread = threading.Thread(target=work, daemon=True, name="keyring")
    thread.start()
    thread.join(_SECONDS)
    return answer[0] if answer else None
