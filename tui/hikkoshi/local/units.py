"""What is to be read of a folder, in units that this process or a child of it carries out.

A unit and what comes of it are plain records, so that they can go over a pipe (msgpack).
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

import msgspec

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.local.files import read_file
from hikkoshi.local.mbox import starts_of
from hikkoshi.local.mbox_folder import Counts, file_state, mbox_batches
from hikkoshi.local.mbox_reader import Starts
from hikkoshi.local.msf import Summary, fresh_summary, summary_stamp
from hikkoshi.local.source import Source
from hikkoshi.mail.message import Message, Problem

BATCH = 256
"""Messages in a batch: about 100 KiB."""

BY_HEADERS, BY_SUMMARY, BY_PARTIAL_SUMMARY, BY_LENGTHS = "headers", "summary", "summary of partial mail", "lengths"
"""What tells of an mbox's mails: their headers; its summary; a summary in which some are partial, which changes more
than flags; their Content-Lengths where they start."""

TASK = "hikkoshi.local.units:read_encoded"


class MboxUnit(msgspec.Struct, frozen=True, tag="mbox", array_like=True):
    """The mails of an mbox that begin from `start` on (bytes) and before `stop` (see `Reader`).

    `state`, `summary`: of file and summary when the unit was made; with others the folder has changed. `sure`: a
    mail starts at `start` for certain. `retold`: the standings of all mails by the summary are wanted, too;
    `reads` is False where nothing else is.
    """

    source: Source
    state: str
    summary: str
    start: int = 0
    stop: int | None = None
    sure: bool = False
    retold: bool = False
    reads: bool = True


class FilesUnit(msgspec.Struct, frozen=True, tag="files", array_like=True):
    """Mails in files of their own, by their paths below the folder. `keywords`: by letter (Dovecot's)."""

    source: Source
    places: list[str]
    keywords: dict[str, str]


Unit = MboxUnit | FilesUnit


class Retold(msgspec.Struct, frozen=True, array_like=True):
    """A live mail by the summary: offset of its From_ line, and flags."""

    offset: int
    flags: frozenset[str]


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Some of what comes of a unit.

    `told`: of an mbox, what tells of its mails; in the first batch. `retold`: see `MboxUnit`; likewise. `garbage`: bytes
    in front that belong to no mail, counted once for each unit.
    """

    messages: list[Message] = []
    problems: list[Problem] = []
    told: str = ""
    retold: list[Retold] | None = None
    garbage: int = 0


_ENCODER, _UNIT, _BATCH = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Unit), msgspec.msgpack.Decoder(Batch)


def encode(unit: Unit) -> bytes:
    """A unit as it goes to a child."""
    return _ENCODER.encode(unit)


def decode_batch(data: bytes) -> Batch:
    """A batch as it came from a child."""
    return _BATCH.decode(data)


def read_encoded(data: bytes) -> Iterator[bytes]:
    """What a child does with a unit: `read_unit`, encoded on both ends."""
    for batch in read_unit(_UNIT.decode(data)):
        yield _ENCODER.encode(batch)


def read_unit(unit: Unit) -> Iterator[Batch]:
    """Carry a unit out. Raises `LocalError` and `OSError` where the folder as a whole cannot be read."""
    return _read_mbox(unit) if isinstance(unit, MboxUnit) else _read_files(unit)


def _read_mbox(unit: MboxUnit) -> Iterator[Batch]:
    source, path = unit.source, unit.source.path
    if file_state(path) != unit.state or (source.summaries and summary_stamp(path) != unit.summary):
        raise changed()
    summary = _summary(source.native, unit.state, unit.summary) if source.summaries else None
    starts = _starts(source, summary)
    told = _told_by(summary) if summary else BY_LENGTHS if starts.chained else BY_HEADERS
    retold = None
    if unit.retold and summary:
        retold = [Retold(int(at), s.flags) for at, s in summary.standings.items()]
    yield Batch(told=told, retold=retold)
    if not unit.reads:
        return
    problems: list[Problem] = []
    counts = Counts()
    sent, foreign = source.sent, source.foreign
    batches = mbox_batches(
        path, source.name, problems, counts, starts,
        summary=summary, sent=sent, foreign=foreign, part=(unit.start, unit.stop), sure=unit.sure,
    )  # fmt: skip
    gathered: list[Message] = []
    for messages in batches:
        gathered += messages
        if len(gathered) >= BATCH:
            yield Batch(gathered)
            gathered = []
    yield Batch(gathered, problems, garbage=counts.garbage)
    if file_state(path) != unit.state:
        raise changed()


def _told_by(summary: Summary) -> str:
    partial = any(standing.partial for standing in summary.standings.values())
    return BY_PARTIAL_SUMMARY if partial else BY_SUMMARY


def _starts(source: Source, summary: Summary | None) -> Starts:
    if summary:
        return Starts(frozenset(map(int, summary.standings)))
    # Without a summary too only Thunderbird's own rule counts in its files: it quotes every From_ line that it writes.
    return starts_of(source.path, frozenset() if source.thunderbird else None)


@lru_cache(maxsize=1)
def _summary(native: str, _state: str, _summary_state: str) -> Summary | None:
    """The summary of an mbox if it is fresh; kept for the next part of the same file."""
    return fresh_summary(Path(native))


def _read_files(unit: FilesUnit) -> Iterator[Batch]:
    problems: list[Problem] = []
    messages = (message for place in unit.places if (message := read_file(unit.source, place, unit.keywords, problems)))
    while batch := list(islice(messages, BATCH)):
        yield Batch(batch)
    yield Batch(problems=problems)


def messages_of(name: str, batches: Iterable[Batch], problems: list[Problem]) -> Iterator[Message]:
    """The messages of a folder's batches; what else they say goes to `problems`."""
    garbage = 0
    for batch in batches:
        problems += batch.problems
        garbage += batch.garbage
        yield from batch.messages
    if garbage:
        text = _("The first {n:,} bytes of the file belong to no mail and were passed over.")
        problems.append(Problem(name, text.format(n=garbage)))


def changed() -> LocalChanged:
    """The error for a folder that was written to while it was read."""
    return LocalChanged(_("The file changed while it was read. Nothing of it was taken; refresh to read it again."))
