"""What fits of a plan that does not: lines for people, and objects for JSON."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from hikkoshi.advice.report import amount_text, size_text
from hikkoshi.i18n import _, ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.offers import Kind, Offer
from hikkoshi.move.plan import Outline
from hikkoshi.move.room import Load, Outlook

_NAMED = 5
"""Folders that one line names; of more their number is told."""


def load_text(load: Load) -> str:
    """How many mails, and of what size."""
    text = ngettext("{n:,} mail, {size}", "{n:,} mails, {size}", load.messages)
    return text.format(n=load.messages, size=size_text(load.size))


def missing_lines(plan: Outline) -> list[str]:
    """A line for each limit that the plan passes: how much room is missing."""
    return [_missing(outlook) for outlook in plan.outlooks if outlook.missing]


def offer_lines(offers: Iterable[Offer]) -> list[str]:
    """A line for each offer, with the option that takes it; none without offers."""
    lines = [f"  --fit {offer.kind.value:<9} {load_text(offer.load)}: {how_far(offer)}" for offer in offers]
    return [_("This part of it fits:"), *lines] if lines else []


def how_far(offer: Offer) -> str:
    """Which mails an offer takes: "from 2021-03-05 on"."""
    text = _how_far(offer)
    if offer.too_large:
        more = ngettext(
            "less {n:,} mail too large for the room", "less {n:,} mails too large for the room", offer.too_large
        )
        text += ", " + more.format(n=offer.too_large)
    return text


def left_text(left: Load) -> str:
    """What an offer that was taken leaves out."""
    return _("Left out for lack of room: {mails}").format(mails=load_text(left))


def missing_json(plan: Outline) -> list[dict[str, Any]]:
    """The limits that a plan passes, and by how much; STORAGE in bytes."""
    return [
        {"root": outlook.room.root, "resource": outlook.room.resource, "missing": outlook.missing}
        for outlook in plan.outlooks
        if outlook.missing
    ]


def reserves_json(plan: Outline) -> list[dict[str, Any]]:
    """What is kept free under each limit, and what decided it: "percent", "size" or "incoming"."""
    return [
        {
            "root": outlook.room.root,
            "resource": outlook.room.resource,
            "reserve": outlook.room.reserve,
            "from": outlook.room.decided.value,
        }
        for outlook in plan.outlooks
        if outlook.room.limit is not None
    ]


def offers_json(offers: Iterable[Offer]) -> list[dict[str, Any]]:
    """Each offer by the value of --fit that takes it; `since` in UTC, sizes in bytes (CRLF form)."""
    return [
        {
            "fit": offer.kind.value,
            "messages": offer.load.messages,
            "bytes": offer.load.size,
            "left_out": load_json(offer.left),
            "since": None if offer.since is None else datetime.fromtimestamp(offer.since, UTC).isoformat(),
            "largest": offer.largest or None,
            "folders": [sanitise(name) for name in offer.folders],
            "years": list(offer.years),
            "too_large": offer.too_large,
        }
        for offer in offers
    ]


def load_json(load: Load) -> dict[str, int]:
    """How many mails, and their bytes (CRLF form)."""
    return {"messages": load.messages, "bytes": load.size}


def _missing(outlook: Outlook) -> str:
    amount = amount_text(outlook.room.resource, outlook.missing)
    if not outlook.room.root:
        return _("Room is missing for {amount}.").format(amount=amount)
    return _("Under “{root}” room is missing for {amount}.").format(root=sanitise(outlook.room.root), amount=amount)


def _how_far(offer: Offer) -> str:
    if offer.kind is Kind.NEWEST:
        if offer.since is None:
            return _("the newest, and some without a date")
        return _("from {date} on").format(date=datetime.fromtimestamp(offer.since, UTC).astimezone().date())
    if offer.kind is Kind.SMALLEST:
        return _("of up to {size} each").format(size=size_text(offer.largest))
    if offer.kind is Kind.YEAR:
        return _("the years {years}").format(years=", ".join(_spans(offer.years)))
    names = [sanitise(name) for name in offer.folders]
    text = ", ".join(names[:_NAMED])
    if more := len(names) - _NAMED if len(names) > _NAMED else 0:
        text = ngettext("{names} and {n} more folder", "{names} and {n} more folders", more).format(names=text, n=more)
    return text


def _spans(years: Sequence[int]) -> list[str]:
    """Years (newest first) with those that follow each other in one: 2026-2023, 2020."""
    spans: list[list[int]] = []
    for year in years:
        if spans and spans[-1][-1] == year + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return [str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans]
