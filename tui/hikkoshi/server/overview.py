"""All that a look at an account begins with, in as few round trips as the server allows: one, or two."""

from collections.abc import Callable, Collection, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from hikkoshi.i18n import _
from hikkoshi.mail.folders import Folder
from hikkoshi.server import failures
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.folders import Listed, Namespace, folder_records, has_special_use, listed, merged, namespace
from hikkoshi.server.folders import native_path as path_to_native
from hikkoshi.server.lexer import Parts, number, tokens
from hikkoshi.server.questions import Question, ask
from hikkoshi.server.quota import QuotaRoot, quota_roots
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.writer import mailbox, native_name


class Overview(msgspec.Struct, frozen=True):
    """The account at one moment.

    `folders`: every folder, those included that only hold others, in the server's order. `states`: by native
    name, of those folders whose state the server tells without opening them. `quota`: each root once, of the
    folders that were asked about; [] where the server has none. `append_limit`: bytes of the largest mail that it
    takes (RFC 7889), None where it does not say; `append_limits`: by native name, where each folder has its own.
    `sizes`: bytes of all mail of a folder, by native name, where they were asked for and the server sums them up.
    """

    folders: list[Folder]
    states: dict[str, FolderStatus]
    quota: list[QuotaRoot]
    spaces: Namespace
    append_limit: int | None
    append_limits: dict[str, int] = {}
    sizes: dict[str, int] = {}

    def namer(self) -> Callable[[tuple[str, ...]], str]:
        """A function from levels to the native name that a folder to be made gets. A delimiter in a level becomes "_"."""
        return lambda path: path_to_native(path, self.spaces)


class Overviewing(Conversation):
    """What an account has, before any folder is opened."""

    @property
    def append_limit(self) -> int | None:
        """Bytes of the largest mail that the server takes (RFC 7889), None where it does not say."""
        words = [name.removeprefix("APPENDLIMIT=") for name in self._channel.capabilities if "APPENDLIMIT=" in name]
        return min((int(word) for word in words if word.isdecimal()), default=None)

    def overview(self, quota_of: Collection[str] = (), *, sizes: bool = False) -> Overview:
        """The folders, their states and the quota; CommandRefused when the folders cannot be listed.

        `quota_of`: native names of folders besides INBOX whose quota roots are asked for. `sizes`: sum up each folder
        where the server has no QUOTA and can (STATUS=SIZE, RFC 8438). One round trip where
        the server has LIST-STATUS (RFC 5819), else two; without CONDSTORE the second is spared, since a state that
        says nothing of flags is worth no round trip: `states` is empty then.
        """
        with self._understanding():
            return self._overview(quota_of, self._further_items(sizes=sizes))

    def _overview(self, quota_of: Collection[str], further: list[bytes]) -> Overview:
        offered = self._channel.capabilities
        # RFC 5819 extends RFC 5258's RETURN; a server with the one has the other.
        at_once = "LIST-STATUS" in offered
        uses = "SPECIAL-USE" in offered
        first = Question(b'LIST "" "*"' + self._returning(further, at_once=at_once, uses=uses))
        spaces = Question(b"NAMESPACE") if "NAMESPACE" in offered else None
        root = Question(b'LIST "" ""')
        quotas = self._quota_questions(["INBOX", *quota_of])
        self._ask([first, spaces, None if spaces else root, *quotas.values()])
        if first.end is not None and first.end.kind != "OK":
            if not at_once:
                raise failures.refused(_("The folders cannot be listed"), first.end.words, first.end.code)
            first = self._plain_list()
        found = namespace(next(iter(spaces.get("NAMESPACE")), None) if spaces else None)
        if not found.delimiter:
            if spaces:
                self._ask([root])
            # The answer with the empty name is the root's, even where it came before the other LIST was through.
            entries = _listed(root) or [entry for entry in _listed(first) if not entry.raw]
            found = replace(found, delimiter=entries[0].delimiter) if entries else found
        plain = [entry for entry in _listed(first) if entry.raw]
        more = [] if at_once or not uses or has_special_use(plain) else self._special_uses()
        folders = folder_records(merged(plain, more), found)
        told = first.get("STATUS") if at_once else self._status(folders, further)
        return Overview(
            folders,
            _states(told) if at_once or self.has_modseq else {},
            _quota(quotas),
            found,
            self.append_limit,
            append_limits=_numbers(told, b"APPENDLIMIT"),
            sizes=_numbers(told, b"SIZE"),
        )

    def quota(self, natives: Iterable[str]) -> list[QuotaRoot]:
        """The limits of these folders, each root once, in one round trip; [] where the server has none or does not tell.

        A folder that the server refuses to answer for (one that does not exist yet) counts for nothing.
        """
        questions = self._quota_questions(natives)
        self._ask(questions.values())
        with self._understanding():
            return _quota(questions)

    def _further_items(self, *, sizes: bool) -> list[bytes]:
        """What STATUS is asked for besides a folder's state."""
        offered = self._channel.capabilities
        # Without a number: each mailbox has a limit of its own (RFC 7889 section 4).
        limits = [b"APPENDLIMIT"] if "APPENDLIMIT" in offered else []
        # Where the folder's index does not have it a server may read all its mails for this.
        summed = sizes and "STATUS=SIZE" in offered and "QUOTA" not in offered
        return limits + ([b"SIZE"] if summed else [])

    def _returning(self, further: list[bytes], *, at_once: bool, uses: bool) -> bytes:
        if not at_once:
            return b""
        return b" RETURN (" + (b"SPECIAL-USE " if uses else b"") + b"STATUS (" + self._items(further) + b"))"

    def _items(self, further: list[bytes]) -> bytes:
        modseq = [b"HIGHESTMODSEQ"] if self.has_modseq else []
        return b" ".join([b"MESSAGES UIDNEXT UIDVALIDITY", *modseq, *further])

    def _plain_list(self) -> Question:
        """The folders again, for a server that offers LIST-STATUS and refuses it."""
        plain = Question(b'LIST "" "*"')
        self._ask([plain])
        if plain.end is None or plain.end.kind != "OK":
            words, code = (plain.end.words, plain.end.code) if plain.end else (b"", "")
            raise failures.refused(_("The folders cannot be listed"), words, code)
        return plain

    def _special_uses(self) -> list[Listed]:
        """Some servers say what folders are for only when asked in the words of LIST-EXTENDED (RFC 6154 section 3)."""
        if "LIST-EXTENDED" not in self._channel.capabilities:
            return []
        special = Question(b'LIST "" "*" RETURN (SPECIAL-USE)')
        self._ask([special])
        return _listed(special)

    def _status(self, folders: Iterable[Folder], further: list[bytes]) -> list[Parts]:
        """STATUS of all folders in one go; of a folder that it is refused for there is none."""
        if not self.has_modseq and not further:
            return []
        items = b" (" + self._items(further) + b")"
        asked = [
            Question(b"STATUS " + mailbox(folder.native) + items, about=folder.native)
            for folder in folders
            if folder.selectable
        ]
        self._ask(asked)
        return [parts for answers in asked for parts in answers.get("STATUS")]

    def _quota_questions(self, natives: Iterable[str]) -> dict[str, Question]:
        if "QUOTA" not in self._channel.capabilities:
            return {}
        return {native: Question(b"GETQUOTAROOT " + mailbox(native), about=native) for native in dict.fromkeys(natives)}

    def _ask(self, questions: Iterable[Question | None]) -> None:
        ask(self._channel, [each for each in questions if each is not None])


def _listed(answers: Question) -> list[Listed]:
    return [entry for parts in answers.get("LIST") if (entry := listed(parts))]


def _quota(questions: dict[str, Question]) -> list[QuotaRoot]:
    # QUOTA names its root, so that it does not matter which question heard it.
    limits = [parts for answers in questions.values() for parts in answers.found.get("QUOTA", [])]
    roots = [(native, answers.get("QUOTAROOT")) for native, answers in questions.items()]
    return quota_roots([("", [], limits), *((native, found, []) for native, found in roots)])


def _states(answers: Iterable[Parts]) -> dict[str, FolderStatus]:
    """States by native name, of STATUS responses without their `* STATUS`; one without all that is needed is left out."""
    return {native: state for native, found in _statuses(answers) if (state := _state(found)) is not None}


def _numbers(answers: Iterable[Parts], item: bytes) -> dict[str, int]:
    """One item of STATUS responses by native name; NIL, as APPENDLIMIT has it for no limit, is left out."""
    return {native: found[item] for native, found in _statuses(answers) if item in found}


def _statuses(answers: Iterable[Parts]) -> Iterator[tuple[str, dict[bytes, int]]]:
    for parts in answers:
        words = tokens(parts)
        if len(words) != 2 or not isinstance(words[0], bytes) or not isinstance(words[1], list):
            continue
        found: dict[bytes, int] = {}
        for name, value in zip(words[1][::2], words[1][1::2], strict=False):
            counted = number(value)
            if isinstance(name, bytes) and counted is not None:
                found[name.upper()] = counted
        yield native_name(words[0]), found


def _state(found: dict[bytes, int]) -> FolderStatus | None:
    messages, validity = found.get(b"MESSAGES"), found.get(b"UIDVALIDITY")
    if messages is None or validity is None:
        return None
    # A HIGHESTMODSEQ of 0 says that the server keeps none for this folder (RFC 7162 section 3.1.2.2).
    return FolderStatus(messages, validity, found.get(b"UIDNEXT", 0), modseq=found.get(b"HIGHESTMODSEQ") or None)
