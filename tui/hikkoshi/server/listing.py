"""Listing folders: their mails, and the flags of those. Looking changes nothing: EXAMINE and BODY.PEEK."""

from collections.abc import Callable, Iterator

from hikkoshi.i18n import _
from hikkoshi.mail.message import Message
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.lexer import Status
from hikkoshi.server.mails import Heard
from hikkoshi.server.pipeline import Pipeline, Task
from hikkoshi.server.quick import Listed


class Listing(Conversation):
    """What a folder holds."""

    def list_new(self, first_uid: int) -> Iterator[Message]:
        """The mails of the folder that is open with UIDs from `first_uid` on, as the server sends them.

        Not taken to its end, the connection is closed. The server's NO at the end comes after what it gave.
        """
        if not self._exists:
            return
        found: list[Listed] = []
        heard = self._heard(found.extend)
        for _step in self._run(heard.mails(b"%d:*" % first_uid)):
            for uid, message in found:
                # `first:*` names the last mail, however small its UID is (RFC 3501 section 6.4.8).
                if uid >= first_uid:
                    yield message
            found.clear()
        heard.rest()
        for uid, message in found:
            if uid >= first_uid:
                yield message
        self._raise_refused()

    def list_flags(self) -> Iterator[tuple[int, frozenset[str]]]:
        """(UID, flags) of every mail in the folder that is open, once all are there."""
        if not self._exists:
            return
        heard = self._heard(lambda _mails: None)
        for _step in self._run(heard.flags_of(b"1:*")):
            pass
        self._raise_refused()
        yield from heard.flags.items()

    def _heard(self, give: Callable[[list[Listed]], None]) -> Heard:
        self._no: Status | None = None

        def refused(end: Status) -> None:
            self._no = end

        return Heard(self._readers, expected=lambda: self._exists, note=self._note, no=refused, give=give)

    def _run(self, task: Task) -> Iterator[None]:
        tasks = [task]
        yield from Pipeline(self._channel).run(lambda: tasks.pop() if tasks else None)

    def _raise_refused(self) -> None:
        if self._no is not None:
            raise self._refusal(_("The mails of the folder {folder} cannot be read"), self._examined or "")(self._no)
