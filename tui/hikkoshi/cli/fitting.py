"""What `hikkoshi upload` does about room: a part that fits, the room that is missing, a quota that nobody knows."""

import sys
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from hikkoshi.advice.offers import (
    load_json,
    missing_json,
    missing_lines,
    offer_lines,
    offers_json,
    reserves_json,
)
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.move.offers import Kind, Offer, make_offer, narrowed, offers
from hikkoshi.move.plan import Plan
from hikkoshi.move.room import Load, Room


class Fitted(msgspec.Struct, frozen=True):
    """The plan to be carried out. `taken`: the offer that it is, None: it is all that was asked for.

    `offers`: what fits of a plan that does not.
    """

    plan: Plan
    taken: Offer | None = None
    offers: tuple[Offer, ...] = ()

    @property
    def left(self) -> Load:
        """What was asked for and is left out for lack of room."""
        return self.taken.left if self.taken else Load()

    def lines(self) -> list[str]:
        """What a plan that does not fit lacks, and what of it would fit."""
        return [*missing_lines(self.plan), *offer_lines(self.offers)]

    def as_json(self) -> dict[str, Any]:
        """The same, as keys of the object `plan`."""
        return {
            "fit": self.taken.kind.value if self.taken else None,
            "left_out": load_json(self.left),
            "reserve": reserves_json(self.plan),
            "missing": missing_json(self.plan),
            "offers": offers_json(self.offers),
        }


def fitted(plan: Plan, rooms: Sequence[Room], fit: str | None) -> Fitted:
    """The part of a plan that fits, chosen as `--fit` says; the plan itself where it fits, or nothing of it does."""
    if plan.fits is not False:
        return Fitted(plan)
    if fit is not None:
        offer = make_offer(Kind(fit), plan.items, rooms)
        if offer.items:
            return Fitted(narrowed(plan, offer, rooms), offer)
    return Fitted(plan, offers=tuple(offers(plan, rooms)))


def may_ask(*, yes: bool, dry_run: bool) -> bool:
    """Whether somebody is there who can be asked."""
    return not yes and not dry_run and sys.stdin.isatty()


def ask_about_unknown() -> None:
    """Have it said that an upload shall start although nobody knows the quota. Raises where it is not."""
    question = _(
        "The server does not tell its quota, so nobody knows whether all of this fits. A full mailbox refuses the mail "
        "that comes in. Upload all the same?"
    )
    if not click.confirm(question, default=False, err=True):
        raise HikkoshiError(_("Nothing was sent."))
