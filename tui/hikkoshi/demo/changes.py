"""What tells a client what changed while it was away: CONDSTORE and QRESYNC (RFC 7162).

A client that names the mod-sequence at which it left a folder is told which flags changed since, and with
QRESYNC which messages are gone.
"""

from dataclasses import dataclass

from hikkoshi.demo import fetch as items
from hikkoshi.demo.mailboxes import Mailbox, StoredMail
from hikkoshi.demo.parser import Atom, Value
from hikkoshi.demo.replies import Bad
from hikkoshi.demo.state import State, number_of, number_set, numbers_in, text_of

_KNOWN = ("CONDSTORE", "QRESYNC")


@dataclass(frozen=True, slots=True)
class Since:
    """The modifiers of a FETCH: what changed behind `modseq`, and with `vanished` what is gone."""

    modseq: int
    vanished: bool


@dataclass(frozen=True, slots=True)
class Return:
    """SELECT's QRESYNC parameter: how the client knows the folder. `known`: the UIDs it has, None for all."""

    uidvalidity: int
    modseq: int
    known: Value | None


def enable(state: State, arguments: list[Value]) -> str:
    """ENABLE capabilities: what is not known is passed over (RFC 5161)."""
    if not arguments:
        raise Bad("Missing arguments")
    names = [text_of(value).upper().decode("ascii", "replace") for value in arguments]
    taken = [name for name in names if name in _KNOWN and state.offers(name)]
    for name in taken:
        use(state, name)
    if taken:
        state.say(b" ".join([b"ENABLED", *(name.encode() for name in taken)]))
    return "Enabled."


def use(state: State, name: str = "CONDSTORE") -> None:
    """The client has shown that it knows of mod-sequences: from now on it is told them. QRESYNC means both."""
    if not state.offers(name):
        raise Bad(f"{name} is not offered")
    if "CONDSTORE" not in state.enabled and state.selected is not None:
        state.say(b"OK [HIGHESTMODSEQ %d] Highest" % state.selected.highest)
    state.enabled |= {"CONDSTORE", name}


def select_parameters(state: State, arguments: list[Value]) -> Return | None:
    """The parenthesised list behind SELECT's folder: CONDSTORE or QRESYNC (uidvalidity modseq [uids [match]])."""
    if len(arguments) < 2:
        return None
    words = arguments[1]
    if not isinstance(words, list) or not words:
        raise Bad("Invalid parameters")
    name = text_of(words[0]).upper()
    if name == b"CONDSTORE" and len(words) == 1:
        use(state)
        return None
    if name != b"QRESYNC" or len(words) != 2 or not state.offers("QRESYNC"):
        raise Bad("Unknown parameter")
    if "QRESYNC" not in state.enabled:
        raise Bad("QRESYNC not enabled")
    known = words[1]
    if not isinstance(known, list) or not 2 <= len(known) <= 4:
        raise Bad("Invalid QRESYNC parameters")
    # The fourth, pairs of numbers and UIDs, only helps servers that forget; this one does not.
    return Return(number_of(known[0]), number_of(known[1]), known[2] if len(known) > 2 else None)


def tell_return(state: State, mailbox: Mailbox, given: Return) -> None:
    """What is gone and what is changed since the client left; nothing where it knows another folder of that name."""
    if given.uidvalidity != mailbox.uidvalidity:
        return
    tell_vanished(state, mailbox, given.known or Atom(b"1:*"), given.modseq)
    wanted = [items.Item(items.UID), items.Item(items.FLAGS), items.Item(items.MODSEQ)]
    for number, mail in state.chosen(given.known or Atom(b"1:*"), by_uid=True):
        if mail.modseq > given.modseq:
            state.say(b"%d FETCH " % number + items.answer(mail, wanted))


def tell_vanished(state: State, mailbox: Mailbox, uids: Value, modseq: int) -> None:
    """VANISHED (EARLIER) for those of `uids` that were removed behind `modseq`."""
    every = list(range(1, mailbox.uidnext))
    named = numbers_in(uids, every, strict=False)
    if gone := sorted(uid for uid, at in mailbox.gone.items() if at > modseq and uid in named):
        state.say(b"VANISHED (EARLIER) " + number_set(gone))


def fetch_modifiers(state: State, arguments: list[Value], *, by_uid: bool) -> Since | None:
    """The parenthesised list behind FETCH's items: CHANGEDSINCE n, and for UID FETCH also VANISHED."""
    if len(arguments) < 3:
        return None
    words = arguments[2]
    if not isinstance(words, list):
        raise Bad("Invalid modifiers")
    vanished = False
    modseq: int | None = None
    waiting = list(words)
    while waiting:
        name = text_of(waiting.pop(0)).upper()
        if name == b"CHANGEDSINCE" and waiting and modseq is None:
            modseq = number_of(waiting.pop(0))
        elif name == b"VANISHED":
            vanished = True
        else:
            raise Bad("Unknown FETCH modifier")
    if modseq is None:
        raise Bad("VANISHED without CHANGEDSINCE" if vanished else "Missing modifiers")
    use(state)
    if vanished and not (by_uid and "QRESYNC" in state.enabled):
        raise Bad("QRESYNC not enabled" if by_uid else "VANISHED needs UID FETCH")
    return Since(modseq, vanished)


def unchanged_since(state: State, arguments: list[Value]) -> int | None:
    """Take STORE's modifier `(UNCHANGEDSINCE n)` out of the arguments."""
    if len(arguments) < 2 or not isinstance(arguments[1], list):
        return None
    words = arguments.pop(1)
    assert isinstance(words, list)
    if len(words) != 2 or text_of(words[0]).upper() != b"UNCHANGEDSINCE":
        raise Bad("Unknown STORE modifier")
    use(state)
    return number_of(words[1])


def tell_flags(state: State, number: int, mail: StoredMail, *, by_uid: bool, silent: bool) -> None:
    """The FETCH response behind a STORE: even a silent one tells the mod-sequence (RFC 7162 section 3.1.3)."""
    condstore = "CONDSTORE" in state.enabled
    told = [items.UID] if by_uid or "QRESYNC" in state.enabled else []
    told += [items.MODSEQ] if condstore else []
    told += [] if silent else [items.FLAGS]
    if not silent or condstore:
        state.say(b"%d FETCH " % number + items.answer(mail, [items.Item(label) for label in told]))
