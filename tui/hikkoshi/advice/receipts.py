"""Past moves and their receipts: as JSON, and for people. All text in it is safe for terminals."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from hikkoshi.advice.preflight import date_source_text, detail_text, finding_text, notes_json, repair_text
from hikkoshi.advice.report import size_text
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ARRIVED, Move
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.repairs import as_repairs
from hikkoshi.move.mail_receipt import Fate, MailReceipt
from hikkoshi.move.notes import unpack_notes
from hikkoshi.move.telling import counts_text, local_time, state_text
from hikkoshi.move.verify import BYTES, FACTS, STORED_AGAIN

SCHEMA = 1
"""Of the objects of `moves --json` and of receipts; it grows when a key changes its meaning or goes away."""


def move_json(move: Move) -> dict[str, Any]:
    """One move: times in ISO 8601 with this PC's zone, `mails` by state, `bytes` (CRLF form) of what is on the server."""
    return {
        "move": move.id,
        "account": sanitise(move.server),
        "store": sanitise(move.store),
        "started": _iso(move.started),
        "ended": _iso(move.ended),
        "undone": _iso(move.undone),
        "state": move.state.value,
        "text": state_text(move),
        "mails": {state.value: count for state, count in sorted(move.counts.items())},
        "bytes": bytes_there(move),
    }


def no_move_json(move: int, problem: str) -> dict[str, Any]:
    """The object of a receipt that cannot be printed: the same keys, null where nothing is known."""
    names = ("account", "store", "started", "ended", "undone", "state", "text", "mails", "bytes", "receipt")
    return {"schema": SCHEMA, "problem": problem, "move": move, **dict.fromkeys(names)}


def bytes_there(move: Move) -> int:
    """Bytes (CRLF form) of the move's mails that are on the server."""
    return sum(move.sizes.get(state, 0) for state in ARRIVED)


def mail_json(mail: MailReceipt) -> dict[str, Any]:
    """One mail of a receipt."""
    there = mail.there
    return {
        "fate": mail.fate.value,
        "state": mail.state.value,
        "reason": sanitise(mail.reason),
        "subject": mail.subject,
        "message_id": sanitise(mail.message_id),
        "from": {"folder": sanitise(mail.folder), "path": sanitise(mail.native), "place": sanitise(mail.place)},
        "to": {"folder": readable(mail.target), "uid": mail.uid, "uidvalidity": mail.uidvalidity},
        "size": mail.size,
        "digest": mail.digest,
        "date": _utc(mail.date),
        "date_source": mail.date_source,
        "flags": [sanitise(flag) for flag in mail.flags],
        "notes": notes_json(unpack_notes(mail.notes)),
        "repairs": [sanitise(repair) for repair in mail.repairs],
        "sent_at": _utc(mail.sent_at),
        "verified": sanitise(mail.verified),
        "as_sent": mail.as_sent,
        "server": None
        if there is None
        else {"size": there.size, "flags": sorted(map(sanitise, there.flags)), "date": _utc(there.date)},
    }


def move_line(move: Move) -> str:
    """One move on one line."""
    return "  ".join(
        (
            f"{move.id:>5}",
            local_time(move.started),
            sanitise(f"{move.store} -> {move.server}") + ":",
            f"{state_text(move)}; {counts_text(move)}; {size_text(bytes_there(move))}",
        )
    )


def receipt_lines(move: Move, mails: Iterable[MailReceipt]) -> Iterator[str]:
    """The receipt of a move for people: what is said of the whole, then each mail."""
    yield _("Move {id}: {store} -> {account}").format(
        id=move.id, store=sanitise(move.store), account=sanitise(move.server)
    )
    ended = _("ended {when}").format(when=local_time(move.ended)) if move.ended else _("not ended")
    state = _("undone {when}").format(when=local_time(move.undone)) if move.undone else state_text(move)
    yield _("Begun {when}, {ended}: {state}").format(when=local_time(move.started), ended=ended, state=state)
    yield counts_text(move) + f"; {size_text(bytes_there(move))}"
    for mail in mails:
        yield ""
        yield from mail_lines(mail)


def mail_lines(mail: MailReceipt) -> Iterator[str]:
    """One mail of a receipt for people."""
    yield f"{fate_text(mail.fate)}: {mail.subject}"
    if mail.reason:
        yield "  " + sanitise(mail.reason)
    yield "  " + _("from {folder}, {place}").format(folder=sanitise(mail.folder), place=sanitise(mail.place))
    if mail.uid is None:
        yield "  " + _("to {folder}").format(folder=readable(mail.target))
    else:
        yield "  " + _("to {folder}, UID {uid} (UIDVALIDITY {uidvalidity})").format(
            folder=readable(mail.target), uid=mail.uid, uidvalidity=mail.uidvalidity
        )
    size = _("{n:,} bytes").format(n=mail.size)
    yield f"  {size}, {mail.digest}" if mail.digest else f"  {size}"
    if mail.date is not None:
        yield "  " + _("date {date} ({source})").format(date=_utc(mail.date), source=date_source_text(mail.date_source))
    if mail.flags:
        yield "  " + _("flags {flags}").format(flags=sanitise(" ".join(mail.flags)))
    for note in unpack_notes(mail.notes):
        detail = detail_text(note)
        yield f"  {finding_text(note.finding, 1)}" + (f": {detail}" if detail else "")
    for repair in sorted(as_repairs(" ".join(mail.repairs))):
        yield "  " + _("mended: {what}").format(what=repair_text(repair))
    if mail.verified:
        yield "  " + verified_text(mail.verified)


def fate_text(fate: Fate) -> str:
    """What became of a mail."""
    return {
        Fate.MOVED: _("Moved"),
        Fate.NOT_MOVED: _("Not moved"),
        Fate.IN_DOUBT: _("In doubt"),
        Fate.REMOVED: _("Removed again"),
        Fate.GONE: _("Not there any more"),
    }[fate]


def verified_text(verified: str) -> str:
    """How a mail was read back."""
    texts = {
        BYTES: _("read back whole: found as it was sent"),
        FACTS: _("read back: UID, size, flags and date found as they were sent"),
        STORED_AGAIN[BYTES]: _(
            "read back whole: found as it was sent, once flags that the server had lost were set again"
        ),
        STORED_AGAIN[FACTS]: _("read back: found as it was sent, once flags that the server had lost were set again"),
    }
    return texts.get(verified) or _("read back: {difference}").format(difference=sanitise(verified))


def readable(native: str) -> str:
    """The native name of a server folder for people; names that are no modified UTF-7 are marked by NUL in front."""
    return sanitise(native.removeprefix("\0"))


def _utc(when: int | None) -> str | None:
    if when is None:
        return None
    try:
        return datetime.fromtimestamp(when, UTC).isoformat()
    except (OverflowError, ValueError, OSError):  # a date that no calendar has
        return None


def _iso(when: int | None) -> str | None:
    return None if when is None else datetime.fromtimestamp(when, UTC).astimezone().isoformat(timespec="seconds")
