"""What is needed to log in to a server: a plain record, so that this room needs to know no config."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Security = Literal["tls", "starttls", "plain"]


@dataclass(frozen=True, slots=True)
class Login:
    """One account on one server.

    `security`: "tls" from the first byte, "starttls" asked for before anything else, "plain" only to this
    very machine. `ca_file`: PEM certificates that are trusted besides the system's. `timeout`: seconds that
    any single wait for the server may take. The password is in no `repr`.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: Security = "tls"
    ca_file: Path | None = None
    timeout: float = 30.0


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this very machine: 127.0.0.0/8, ::1 or localhost."""
    if host.rstrip(".").casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False
