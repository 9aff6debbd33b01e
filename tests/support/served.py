"""An account on a server under test, whichever server that is."""

from dataclasses import dataclass
from typing import Protocol

from support.imap_wire import Wire


@dataclass(frozen=True, slots=True)
class Served:
    """An empty account with Sent, Drafts and Trash on a running server."""

    kind: str
    host: str
    port: int
    user: str
    password: str

    def connect(self) -> Wire:
        """A connection that is logged in."""
        wire = Wire(self.host, self.port)
        wire.ok(f"LOGIN {self.user} {self.password}")
        return wire


class Serve(Protocol):
    """Starts a server: `storage` in KiB, `max_mail` in KiB, `messages`: limits, None for none."""

    def __call__(
        self, storage: int | None = None, messages: int | None = None, max_mail: int | None = None
    ) -> Served: ...
