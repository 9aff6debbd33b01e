"""Looking at a folder: what has to be read of it to learn what changed since it was known.

A look costs a stat where nothing changed. What it asks to be read is carried out by this process or by its children
(`hikkoshi.local.units`); `changes` makes of that what the index must take over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from hikkoshi.local.units import Batch, MboxUnit, Unit, messages_of, read_unit
from hikkoshi.mail.message import Message, Problem

Flags = frozenset[str]


class Known(msgspec.Struct, frozen=True):
    """What is known of a folder since it was last read. Only the stamp is cheap; the rest is asked where it is needed.

    `stamp`: the one it was known under, None if nothing is. `places`: place -> flags of its messages whose place
    begins with a text. `last`: place and flags of the one whose place begins with the highest number.
    """

    stamp: str | None
    places: Callable[[str], Mapping[str, Flags]]
    last: Callable[[], tuple[str, Flags] | None]


NOTHING_KNOWN = Known(None, lambda _beginning: {}, lambda: None)


class Changes(msgspec.Struct, frozen=True):
    """What has changed in a folder since.

    `stamp`: under which it is known once all is taken. `messages`: what is new, or all of it where `afresh`: then
    what was known is dropped. `gone`: places that are no more. `moved`: place known -> (place, flags) as they are.
    `nothing`: all is as it was known; there is only a remark to be told again.
    """

    stamp: str
    messages: Iterator[Message]
    afresh: bool = True
    gone: Sequence[str] = ()
    moved: Mapping[str, tuple[str, frozenset[str]]] = msgspec.field(default_factory=dict)
    nothing: bool = False


Settle = Callable[[Iterator[Batch], list[Problem]], Changes | None]


class Look(msgspec.Struct, frozen=True):
    """What is to be read of a folder, and what becomes of it.

    `units`: in the order of the folder's mail; `settle` makes changes of their batches, which it may begin to read
    at once, or says None: what was read shows that the folder has to be read `afresh`, as that look says.
    """

    units: Sequence[Unit]
    settle: Settle
    afresh: "Callable[[], Look] | None" = None


def all_of(name: str, stamp: str) -> Settle:
    """The settling of a look whose units read a whole folder; `name` is the folder's."""

    def settle(batches: Iterator[Batch], problems: list[Problem]) -> Changes:
        return Changes(stamp, messages_of(name, batches, problems))

    return settle


def changes(look: Look, problems: list[Problem]) -> Changes:
    """Carry a look out in this process. Raises what reading raises, at the latest where `messages` are taken."""
    found = look.settle(chain.from_iterable(map(read_unit, _joined(look.units))), problems)
    if found is None:
        assert look.afresh is not None, "only a look with a second one settles nothing"
        found = changes(look.afresh(), problems)
    return found


def _joined(units: Sequence[Unit]) -> Sequence[Unit]:
    """The parts of an mbox as one: only several processes gain by them."""
    first = units[0] if len(units) > 1 else None
    return [msgspec.structs.replace(first, stop=None)] if isinstance(first, MboxUnit) else units
