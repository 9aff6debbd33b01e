"""The report of a check: the object of `check --json`, and the same for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict

from hikkoshi.advice.hazards import hazards
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.queries import Counts, FolderPair
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.message import Problem
from hikkoshi.move.plan import Outline
from hikkoshi.move.room import MESSAGE, Decided, Outlook, Room

SCHEMA = 1


def quota_json(rooms: Sequence[Room]) -> list[dict[str, Any]]:
    """The server's limits; STORAGE in bytes."""
    return [
        {
            "root": room.root,
            "resource": room.resource,
            "used": room.used,
            "limit": room.limit,
            "source": room.source.value,
        }
        for room in rooms
    ]


def folders_json(pairs: Sequence[FolderPair]) -> list[dict[str, Any]]:
    """A row for each folder pair with the same counts as the whole."""
    return [
        {"local": pair.local, "server": pair.server, "role": pair.role.value, **asdict(pair.counts)} for pair in pairs
    ]


def problems_json(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """What could not be read or compared."""
    return [{"where": sanitise(problem.where), "what": sanitise(problem.what)} for problem in problems]


def failed_json(account: str | None, when: datetime, problem: Problem) -> dict[str, Any]:
    """The object of a check that could not be made: the same keys, null where nothing is known."""
    known: dict[str, Any] = {"schema": SCHEMA, "account": account, "checked_at": when.isoformat(timespec="seconds")}
    unknown = dict.fromkeys(("local", "server", "quota", "differences", "upload", "folders"))
    return {**known, **unknown, "problems": problems_json([problem]), "remarks": []}


def size_text(size: int) -> str:
    """Bytes for people, in powers of 1,024."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    raise AssertionError(size)


def amount_text(resource: str, amount: int) -> str:
    """An amount of a quota resource for people."""
    if resource == MESSAGE:
        return ngettext("{n:,} mail", "{n:,} mails", amount).format(n=amount)
    return size_text(amount)


def outlook_text(outlook: Outlook) -> str:
    """One line on a limit: used now and after, of how much, and whether it fits."""
    room = outlook.room
    used, after = amount_text(room.resource, room.used), amount_text(room.resource, outlook.after)
    if room.limit is None:
        return _("Quota: unknown; {used} used, {after} after").format(used=used, after=after)
    text = _("Quota: {used} of {limit} used ({percent:.0f} %), {after} ({after_percent:.0f} %) after").format(
        used=used,
        limit=amount_text(room.resource, room.limit),
        percent=100 * room.used / room.limit if room.limit else 100,
        after=after,
        after_percent=100 * outlook.after / room.limit if room.limit else 100,
    )
    if outlook.fits is False:
        text += ", " + _("{missing} too much (a reserve of {reserve} is kept free)").format(
            missing=amount_text(room.resource, outlook.missing), reserve=amount_text(room.resource, room.reserve)
        )
    return text


def reserve_text(room: Room) -> str:
    """What is kept free, where the incoming mail of the last 30 days decided it; else '', since that is the user's wish."""
    if room.decided is not Decided.INCOMING or not room.reserve:
        return ""
    return _("A reserve of {amount} is kept free: your last 30 days of incoming mail.").format(
        amount=amount_text(room.resource, room.reserve)
    )


def count_lines(counts: Counts) -> list[tuple[int, str]]:
    """Each count with what it means, in the order in which people need them."""
    return [
        (counts.only_local, ngettext("mail only on this PC", "mails only on this PC", counts.only_local)),
        (
            counts.sent_gap,
            ngettext(
                "sent mail missing in the server's sent folder",
                "sent mails missing in the server's sent folder",
                counts.sent_gap,
            ),
        ),
        (counts.read_state, ngettext("mail read on one side only", "mails read on one side only", counts.read_state)),
        (counts.flags, ngettext("mail with other flags", "mails with other flags", counts.flags)),
        (counts.ambiguous, ngettext("mail in doubt", "mails in doubt", counts.ambiguous)),
        (counts.only_server, ngettext("mail only on the server", "mails only on the server", counts.only_server)),
        (
            counts.elsewhere,
            ngettext("mail filed elsewhere on the server", "mails filed elsewhere on the server", counts.elsewhere),
        ),
        (
            counts.duplicates_local,
            ngettext("surplus copy on this PC", "surplus copies on this PC", counts.duplicates_local),
        ),
        (
            counts.duplicates_server,
            ngettext("surplus copy on the server", "surplus copies on the server", counts.duplicates_server),
        ),
        (
            counts.left_out,
            ngettext(
                "mail left out (trash, junk, outbox, templates, partial)",
                "mails left out (trash, junk, outbox, templates, partial)",
                counts.left_out,
            ),
        ),
    ]


def plan_lines(plan: Outline) -> list[str]:
    """A plan for people: folders, counts, bytes, quota before and after, hazards."""
    load = plan.load
    head = ngettext("{n:,} mail, {size}, would be uploaded", "{n:,} mails, {size}, would be uploaded", load.messages)
    lines = [head.format(n=load.messages, size=size_text(load.size))]
    for share in plan.shares:
        name = sanitise(share.name) + (" " + _("(new folder)") if share.new else "")
        lines.append(f"  {share.load.messages:>7,}  {size_text(share.load.size):>10}  {name}")
    lines += [outlook_text(outlook) for outlook in plan.outlooks]
    lines += [text for outlook in plan.outlooks if (text := reserve_text(outlook.room))]
    return lines + [_("Note: {hazard}").format(hazard=hazard) for hazard in hazards(plan)]
