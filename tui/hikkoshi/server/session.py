"""The small conversations with the server, over imaplib: folders, quota, status, making folders."""

import imaplib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from msgspec.structs import replace

from hikkoshi.errors import CommandRefused, ConnectionLost, ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.mail.folders import Folder
from hikkoshi.server import failures
from hikkoshi.server.connect import capabilities, connect
from hikkoshi.server.folders import (
    Listed,
    Namespace,
    ancestors,
    folder_records,
    has_special_use,
    listed,
    merged,
    namespace,
    native_path,
)
from hikkoshi.server.lexer import Parts, number, tokens
from hikkoshi.server.login import Login
from hikkoshi.server.quota import QuotaRoot, quota_roots
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.transport import GuardedIMAP4
from hikkoshi.server.writer import mailbox

_APPENDLIMIT = "APPENDLIMIT="


class ServerSession:
    """One connection for small conversations. One thread owns it.

    `capabilities`: upper case, asked for after the login. `append_limit`: the largest mail that the server
    takes (RFC 7889), in bytes; None where it does not say. Every method may raise ConnectionLost or
    ProtocolBroken; the connection is closed then. CommandRefused (NO) leaves it usable.
    """

    def __init__(self, imap: GuardedIMAP4) -> None:
        self.capabilities = capabilities(imap)
        limits = [name.removeprefix(_APPENDLIMIT) for name in self.capabilities if name.startswith(_APPENDLIMIT)]
        self.append_limit = min((int(limit) for limit in limits if limit.isdecimal()), default=None)
        self._host: str = imap.host
        self._imap = imap
        self._closed = False
        self._spaces: Namespace | None = None

    @classmethod
    def open(cls, login: Login) -> "ServerSession":
        """Connect and log in; raises what `connect` raises."""
        return cls(connect(login))

    def __enter__(self) -> "ServerSession":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Log out."""
        if not self._closed:
            self._closed = True
            self._imap.say_goodbye()

    def folders(self) -> list[Folder]:
        """Every folder, those included that only hold others (`selectable` False), in the server's order."""
        what = _("The folders cannot be listed")
        plain = self._listed(what, b'""', b'"*"')
        special: list[Listed] = []
        if "SPECIAL-USE" in self.capabilities and not has_special_use(plain):
            # Some servers say what folders are for only when asked (RFC 6154 section 3).
            with suppress(CommandRefused):
                special = self._listed(what, b'""', b'"*"', b"RETURN (SPECIAL-USE)")
        return folder_records(merged(plain, special), self._namespace())

    def namer(self) -> Callable[[tuple[str, ...]], str]:
        """A function from levels to the native name that a new folder gets; it holds without the connection.

        A delimiter inside a level becomes "_".
        """
        spaces = self._namespace()
        return lambda path: native_path(path, spaces)

    def create(self, native: str) -> None:
        """Make a folder and those of its parents that are missing, and subscribe to what was made."""
        # A parent may only hold others; the folder itself has to take mail, and CREATE makes it do so.
        known = {folder.native for folder in self.folders() if folder.selectable or folder.native != native}
        for name in ancestors(native, self._namespace()):
            if name in known or name.upper() == "INBOX":
                continue
            what = _("The folder {folder} cannot be made").format(folder=failures.readable(name))
            try:
                self._ask(what, "CREATE", mailbox(name))
            except CommandRefused as error:
                if error.code != "ALREADYEXISTS":
                    raise
            # The folder is there, which is what matters; a server without subscriptions may refuse this.
            with suppress(CommandRefused):
                self._ask(what, "SUBSCRIBE", mailbox(name))

    def quota(self, natives: Iterable[str]) -> list[QuotaRoot]:
        """The limits of these folders, each root once; [] where the server has none or does not tell.

        A folder that the server refuses to answer for (one that does not exist yet) counts for nothing.
        """
        if "QUOTA" not in self.capabilities:
            return []
        answers: list[tuple[str, list[Parts], list[Parts]]] = []
        for native in natives:
            what = _("The quota of the folder {folder} cannot be read").format(folder=failures.readable(native))
            with suppress(CommandRefused):
                roots = self._ask(what, "GETQUOTAROOT", mailbox(native), answer="QUOTAROOT")
                answers.append((native, roots, self._taken("QUOTA")))
        with self._translated():
            return quota_roots(answers)

    def status(self, native: str) -> FolderStatus:
        """A folder's counts without opening it; CommandRefused, naming it, when the server does not tell."""
        what = _("The folder {folder} cannot be asked about").format(folder=failures.readable(native))
        items = b"(MESSAGES UIDNEXT UIDVALIDITY"
        items += b" SIZE)" if "STATUS=SIZE" in self.capabilities else b")"
        found: dict[str, int] = {}
        for parts in self._ask(what, "STATUS", mailbox(native), items):
            with self._translated():
                words = tokens(parts)[-1]
            if not isinstance(words, list):
                continue
            for name, value in zip(words[::2], words[1::2], strict=False):
                counted = number(value)
                if isinstance(name, bytes) and counted is not None:
                    found[name.decode("ascii", "replace").upper()] = counted
        if not {"MESSAGES", "UIDNEXT", "UIDVALIDITY"} <= found.keys():
            raise failures.refused(what, b"")
        return FolderStatus(found["MESSAGES"], found["UIDVALIDITY"], found["UIDNEXT"], found.get("SIZE"))

    def _namespace(self) -> Namespace:
        if self._spaces is None:
            answers: list[Parts] = []
            if "NAMESPACE" in self.capabilities:
                with suppress(CommandRefused):
                    answers = self._ask(_("The namespaces cannot be read"), "NAMESPACE")
            with self._translated():
                self._spaces = namespace(answers[-1] if answers else None)
            if not self._spaces.delimiter:
                self._spaces = self._with_delimiter(self._spaces)
        return self._spaces

    def _with_delimiter(self, spaces: Namespace) -> Namespace:
        """`LIST "" ""` tells the delimiter where NAMESPACE does not (RFC 3501 section 6.3.8)."""
        entries = self._listed(_("The folders cannot be listed"), b'""', b'""')
        return replace(spaces, delimiter=entries[0].delimiter) if entries else spaces

    def _listed(self, what: str, *arguments: bytes) -> list[Listed]:
        answers = self._ask(what, "LIST", *arguments)
        with self._translated():
            return [entry for parts in answers if (entry := listed(parts))]

    def _ask(self, what: str, command: str, *arguments: bytes, answer: str = "") -> list[Parts]:
        """Send a command; the untagged responses called `answer` (its own name), without that name.

        `what` is the clause for the sentence of a NO.
        """
        if self._closed:
            raise failures.lost(self._host)
        self._imap.untagged_responses.clear()
        with self._translated():
            kind, data = self._imap._simple_command(command, *arguments)
        if kind != "OK":
            raise failures.refused(what, data[-1] or b"")
        return self._taken(answer or command)

    def _taken(self, name: str) -> list[Parts]:
        """imaplib's record of untagged responses: text, or (text, literal) pairs with the rest behind them."""
        responses: list[Parts] = []
        current: Parts = []
        for piece in self._imap.untagged_responses.pop(name, []):
            if isinstance(piece, tuple):
                current += piece
            else:
                responses.append([*current, piece])
                current = []
        return responses

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """imaplib's errors as ours. After any of them the connection is closed."""
        try:
            yield
        except (ConnectionLost, ProtocolBroken):
            self._abandon()
            raise
        except imaplib.IMAP4.error as error:
            farewell = self._imap.farewell()
            self._abandon()
            if farewell is not None:
                raise failures.lost(self._host, farewell) from None
            raise failures.broken(self._host, str(error)) from None
        except OSError as error:
            self._abandon()
            raise failures.lost(self._host, error) from None
        except ValueError as error:
            self._abandon()
            raise failures.broken(self._host, str(error)) from None

    def _abandon(self) -> None:
        if not self._closed:
            self._closed = True
            self._imap.shutdown()
