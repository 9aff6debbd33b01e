"""What users write: a server's address, sizes, a reserve, a folder mapping."""

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from hikkoshi.errors import UsageError
from hikkoshi.i18n import _
from hikkoshi.move.room import Reserve
from hikkoshi.server.login import is_loopback

_IMAP, _IMAPS = 143, 993  # RFC 8314 section 7
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([KMGT]?)(?:i?B)?\s*", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_PERCENT = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*%\s*")


class Address(msgspec.Struct, frozen=True):
    """A server and who logs in there."""

    host: str
    port: int
    user: str
    security: Literal["tls", "starttls", "plain"]

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


def parse_address(text: str) -> Address:
    """`imaps://user@host:993`, or `imap://` for STARTTLS (plain to this very machine).

    A user with an @ may be written as it is or as %40. Raises `UsageError`; a password in it is refused.
    """
    hint = _("Write it as imaps://user@host, or imaps://user@host:993.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(
            _("This is no server address: its port or host cannot be read. {hint}").format(hint=hint)
        ) from None
    if parts.scheme not in ("imaps", "imap"):
        raise UsageError(_("The server address must begin with imaps:// or imap://. {hint}").format(hint=hint))
    if not parts.hostname or not parts.username:
        raise UsageError(_("The server address needs a user and a host. {hint}").format(hint=hint))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(
            _("The server address ends behind the host and port; folders are chosen with --map. {hint}").format(
                hint=hint
            )
        )
    if parts.password is not None:
        raise UsageError(
            _(
                "A password in the server address can be seen by others on this PC. Leave it out; use --password-command."
            )
        )
    user = unquote(parts.username)
    if not user.isprintable() or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(_("The server address holds more than a user and a host. {hint}").format(hint=hint))
    if parts.scheme == "imaps":
        return Address(parts.hostname, port or _IMAPS, user, "tls")
    security: Literal["starttls", "plain"] = "plain" if is_loopback(parts.hostname) else "starttls"
    return Address(parts.hostname, port or _IMAP, user, security)


def parse_size(text: str) -> int:
    """Bytes of `500M`, `1GB`, `1.5 GiB` or a plain number; K, M, G and T are powers of 1,024. Raises `UsageError`."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise UsageError(_("“{text}” is no size. Write it like 500M or 1.5G.").format(text=text))
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_budget(text: str) -> int:
    """Bytes a day, 0 for `none`. Raises `UsageError`."""
    if text.strip().lower() == "none":
        return 0
    size = parse_size(text)
    if not size:
        raise UsageError(_("A budget of 0 would send nothing. Say none for no limit."))
    return size


def parse_rate(text: str) -> int:
    """Bytes a second, of `500K` or `500K/s`. Raises `UsageError`."""
    size = parse_size(text.strip().removesuffix("/s"))
    if not size:
        raise UsageError(_("A rate of 0 would never end. Leave the option out for no limit."))
    return size


def parse_mails(text: str) -> float:
    """Mails a second, of `4` or `0.5`. Raises `UsageError`."""
    if not _NUMBER.fullmatch(text.strip()):
        raise UsageError(_("“{text}” is no number of mails a second. Write it like 4 or 0.5.").format(text=text))
    if not float(text):
        raise UsageError(_("A rate of 0 would never end. Leave the option out for no limit."))
    return float(text)


def parse_reserve(text: str) -> Reserve:
    """A reserve as `5%` or as a size. Raises `UsageError`."""
    if match := _PERCENT.fullmatch(text):
        percent = float(match[1])
        if percent > 100:
            raise UsageError(_("A reserve cannot be more than 100 %."))
        return Reserve(percent=percent)
    return Reserve(size=parse_size(text))


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """`LOCAL=SERVER` pairs as a dictionary. Raises `UsageError`."""
    mapping = {}
    for pair in pairs:
        local, sign, server = pair.partition("=")
        if not sign or not local.strip() or not server.strip():
            raise UsageError(_("“{pair}” is no mapping. Write it as LOCAL=SERVER.").format(pair=pair))
        mapping[local.strip()] = server.strip()
    return mapping
