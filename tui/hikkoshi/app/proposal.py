"""A plan as the screen proposes it: what was found in its mails, what of it fits, and the move that it goes on with."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hikkoshi.mail.repairs import Repair
from hikkoshi.move.budget import Budget
from hikkoshi.move.offers import Kind, Offer, narrowed, offers
from hikkoshi.move.plan import Plan
from hikkoshi.move.preflight import Preflight

if TYPE_CHECKING:
    from hikkoshi.accounts.resuming import ResumePlan


@dataclass(frozen=True, slots=True)
class Proposal:
    """`plan`, with these `repairs`; `bare`: it without them. `found` in its mails; None: not all were looked at.

    `budget`: what may go in a day. `offers`: parts of the plan that fit; `offer`: the part that this is. `resuming`: what is
    left of which move.
    """

    plan: Plan
    bare: Plan
    found: Preflight | None = None
    repairs: frozenset[Repair] = frozenset()
    budget: Budget | None = None
    offers: tuple[Offer, ...] = ()
    resuming: "ResumePlan | None" = None
    offer: Offer | None = None

    def narrowed(self, kind: Kind) -> "Proposal":
        """The proposal of one of the parts that fit."""
        offer = next(each for each in self.offers if each.kind is kind)
        rooms = [outlook.room for outlook in self.plan.outlooks]
        chosen = {item.row for item in offer.items}
        return replace(
            self,
            plan=narrowed(self.plan, offer, rooms),
            bare=narrowed(self.bare, offer, rooms),
            found=self.found and self.found.of_rows(chosen),
            offers=(),
            offer=offer,
        )

    def mended(self, plan: Plan, repairs: frozenset[Repair]) -> "Proposal":
        """The same with the plan that these repairs make of it."""
        return replace(self, plan=plan, repairs=repairs, offers=_offers(plan) if self.offer is None else ())


def propose(
    plan: Plan, found: Preflight | None, budget: Budget | None, resuming: "ResumePlan | None" = None
) -> Proposal:
    """A plan with what fits of it; half a second for 100,000 mails that do not fit, so it belongs in a worker."""
    return Proposal(plan, plan, found, budget=budget, offers=_offers(plan), resuming=resuming)


def _offers(plan: Plan) -> tuple[Offer, ...]:
    return tuple(offers(plan, [outlook.room for outlook in plan.outlooks]))
