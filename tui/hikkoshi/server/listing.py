"""Listing folders: their mails, and the flags of those. Looking changes nothing: EXAMINE and BODY.PEEK."""

from collections.abc import Iterator

from hikkoshi.i18n import _
from hikkoshi.mail.message import Message
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.mails import Fetching, FlagFetch, MailFetch
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
        fetching = MailFetch(self._readers, lambda: self._exists, found.extend, first_uid=first_uid, note=self._note)
        for _step in self._run(fetching, fetching.task(b"%d:*" % first_uid)):
            for _uid, message in found:
                yield message
            found.clear()

    def list_flags(self) -> Iterator[tuple[int, frozenset[str]]]:
        """(UID, flags) of every mail in the folder that is open, once all are there."""
        if not self._exists:
            return
        fetching = FlagFetch(self._readers, lambda: self._exists, self._note)
        for _step in self._run(fetching, fetching.task()):
            pass
        yield from fetching.flags.items()

    def _run(self, fetching: Fetching, task: Task) -> Iterator[None]:
        tasks = [task]
        yield from Pipeline(self._channel).run(lambda: tasks.pop() if tasks else None)
        if fetching.refused is not None:
            what = _("The mails of the folder {folder} cannot be read")
            raise self._refusal(what, self._examined or "")(fetching.refused)
