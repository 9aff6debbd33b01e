"""A plan as the screen proposes it: with what fits of it where the whole does not, and the move that it goes on with."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hikkoshi.move.offers import Kind, Offer, narrowed, offers
from hikkoshi.move.plan import Plan

if TYPE_CHECKING:
    from hikkoshi.accounts.resuming import ResumePlan


@dataclass(frozen=True, slots=True)
class Proposal:
    """`offers`: parts of the plan that fit; `offer`: the part that this is; `resuming`: what is left of which move."""

    plan: Plan
    offers: tuple[Offer, ...] = ()
    resuming: "ResumePlan | None" = None
    offer: Offer | None = None

    def narrowed(self, kind: Kind) -> "Proposal":
        """The proposal of one of the parts that fit."""
        offer = next(each for each in self.offers if each.kind is kind)
        rooms = [outlook.room for outlook in self.plan.outlooks]
        return replace(self, plan=narrowed(self.plan, offer, rooms), offers=(), offer=offer)


def propose(plan: Plan, resuming: "ResumePlan | None" = None) -> Proposal:
    """A plan with what fits of it; half a second for 100,000 mails that do not fit, so it belongs in a worker."""
    return Proposal(plan, tuple(offers(plan, [outlook.room for outlook in plan.outlooks])), resuming)
