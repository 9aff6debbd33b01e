"""LIST and LSUB: plain (RFC 3501 sections 6.3.8, 6.3.9), extended (RFC 5258), with STATUS (RFC 5819).

A plain LIST tells children and special uses unasked (RFC 6154 section 2); an extended one tells what it is
asked for, no more, as on Dovecot.
"""

import re
from dataclasses import dataclass

from hikkoshi.demo.folder_commands import check_status_items, say_status
from hikkoshi.demo.mailboxes import DELIMITER, Mailbox, canonical
from hikkoshi.demo.parser import Atom, Value
from hikkoshi.demo.replies import Bad
from hikkoshi.demo.state import State, folder_name, folder_of, need, text_of

_SELECTIONS = {b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE"}
_RETURNS = {b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"STATUS"}


@dataclass(frozen=True, slots=True)
class _Wish:
    """One extended LIST. `selections`, `returns`: names of options; `status`: the items of STATUS."""

    patterns: tuple[re.Pattern[str], ...]
    selections: frozenset[bytes]
    returns: frozenset[bytes]
    status: tuple[str, ...]

    def matches(self, name: str) -> bool:
        return any(pattern.fullmatch(name) for pattern in self.patterns)


def list_(state: State, arguments: list[Value]) -> str:
    """LIST [(selection)] reference pattern [RETURN (options)]; `pattern` may be a list of patterns."""
    if len(arguments) > 2 or any(isinstance(value, list) for value in arguments):
        _list_extended(state, _wish(state, arguments))
        return "List completed."
    need(arguments, 2)
    if not text_of(arguments[1]):
        state.say(b'LIST (\\Noselect) "%s" ""' % DELIMITER.encode())
        return "List completed."
    matches = _pattern(arguments[0], arguments[1])
    for name, mailbox in state.account.names():
        if matches.fullmatch(name):
            attributes = [] if mailbox else ["\\Noselect"]
            attributes.append(_children(state, name))
            if mailbox and mailbox.attribute:
                attributes.append(mailbox.attribute)
            _say_folder(state, "LIST", attributes, name)
    return "List completed."


def lsub(state: State, arguments: list[Value]) -> str:
    """LSUB reference pattern: the subscribed folders."""
    need(arguments, 2)
    matches = _pattern(arguments[0], arguments[1])
    for name in sorted(state.account.subscribed):
        if matches.fullmatch(name):
            _say_folder(state, "LSUB", [], name)
    return "Lsub completed."


def _list_extended(state: State, wish: _Wish) -> None:
    everything = dict(state.account.names())
    everything |= {name: None for name in state.account.subscribed if name not in everything}
    for name in sorted(everything):
        mailbox = everything[name]
        if not wish.matches(name):
            continue
        below = b"RECURSIVEMATCH" in wish.selections and any(
            child.startswith(name + DELIMITER) and not wish.matches(child) and _selected(state, wish, child, inner)
            for child, inner in everything.items()
        )
        if not (below or _selected(state, wish, name, mailbox)):
            continue
        more = b' ("CHILDINFO" ("SUBSCRIBED"))' if below else b""
        _say_folder(state, "LIST", _attributes(state, wish, name, mailbox), name, more)
        if wish.status and mailbox:
            say_status(state, mailbox, wish.status)


def _selected(state: State, wish: _Wish, name: str, mailbox: Mailbox | None) -> bool:
    if b"SUBSCRIBED" in wish.selections and name not in state.account.subscribed:
        return False
    return b"SPECIAL-USE" not in wish.selections or bool(mailbox and mailbox.attribute)


def _attributes(state: State, wish: _Wish, name: str, mailbox: Mailbox | None) -> list[str]:
    told = wish.returns | wish.selections
    attributes = [] if mailbox else ["\\NonExistent"]
    if b"SUBSCRIBED" in told and name in state.account.subscribed:
        attributes.append("\\Subscribed")
    if b"CHILDREN" in wish.returns:
        attributes.append(_children(state, name))
    if b"SPECIAL-USE" in told and mailbox and mailbox.attribute:
        attributes.append(mailbox.attribute)
    return attributes


def _wish(state: State, arguments: list[Value]) -> _Wish:
    if not (state.offers("LIST-EXTENDED") or state.offers("LIST-STATUS")):
        raise Bad("Too many arguments")
    words = list(arguments)
    selections = _options(words.pop(0), _SELECTIONS) if isinstance(words[0], list) else frozenset()
    if b"RECURSIVEMATCH" in selections and not selections - {b"RECURSIVEMATCH", b"REMOTE"}:
        raise Bad("RECURSIVEMATCH must not be the only selection")
    need(words, 2, 4)
    reference, asked = words[:2]
    patterns = tuple(_pattern(reference, each) for each in (asked if isinstance(asked, list) else [asked]))
    returns, status = frozenset[bytes](), tuple[str, ...]()
    if len(words) > 2:
        if text_of(words[2]).upper() != b"RETURN" or len(words) < 4 or not isinstance(words[3], list):
            raise Bad("Invalid arguments")
        options = list(words[3])
        status = _status_items(state, options)
        returns = _options(options, _RETURNS)
    return _Wish(patterns, selections, returns, status)


def _options(words: Value, known: set[bytes]) -> frozenset[bytes]:
    assert isinstance(words, list)
    options = frozenset(text_of(word).upper() for word in words)
    if options - known:
        raise Bad("Unknown options")
    return options


def _status_items(state: State, options: list[Value]) -> tuple[str, ...]:
    """Take the items out from behind STATUS."""
    names = [option.upper() if isinstance(option, Atom) else b"" for option in options]
    if b"STATUS" not in names:
        return ()
    at = names.index(b"STATUS") + 1
    if not state.offers("LIST-STATUS") or at == len(options):
        raise Bad("Unknown options")
    return check_status_items(state, options.pop(at))


def _children(state: State, name: str) -> str:
    return "\\HasChildren" if state.account.has_children(name) else "\\HasNoChildren"


def _say_folder(state: State, response: str, attributes: list[str], name: str, more: bytes = b"") -> None:
    state.say(f'{response} ({" ".join(attributes)}) "{DELIMITER}" '.encode() + folder_name(name) + more)


def _pattern(reference: Value, pattern: Value) -> re.Pattern[str]:
    """Reference and pattern as a regular expression: `*` crosses levels, `%` does not; INBOX folds case."""
    wanted = canonical(folder_of(reference) + folder_of(pattern))
    parts = {"*": ".*", "%": f"[^{DELIMITER}]*"}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in wanted), re.DOTALL)
