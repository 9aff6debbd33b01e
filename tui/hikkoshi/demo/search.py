"""SEARCH (RFC 3501 section 6.4.4): every key but the SENT ones, as tests on one message; RETURN (RFC 4731)."""

from collections.abc import Callable
from datetime import UTC, datetime

from hikkoshi.demo.changes import use
from hikkoshi.demo.mailboxes import StoredMail
from hikkoshi.demo.parser import Atom, Quoted, Value
from hikkoshi.demo.replies import Bad, No
from hikkoshi.demo.state import State, number_set, numbers_in, text_of
from hikkoshi.mail.headers import header_end, iter_fields, unfold

Test = Callable[[int, StoredMail], bool]
"""Whether the message with this sequence number is wanted."""

_FLAGS = ("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN")
_HEADERS = ("BCC", "CC", "FROM", "SUBJECT", "TO")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def search_answer(state: State, arguments: list[Value], *, by_uid: bool) -> str:
    """Say what SEARCH finds: as SEARCH, or with RETURN (options) as ESEARCH. Gives the tagged answer's text."""
    options = _return_options(state, arguments)
    by_modseq = _asks_modseq(arguments)
    if by_modseq:
        use(state)
    found = search(state, arguments)
    numbers = [mail.uid if by_uid else number for number, mail in found]
    highest = max((mail.modseq for _, mail in found), default=0) if by_modseq else 0
    if options is None:
        tail = [b"(MODSEQ %d)" % highest] if highest else []
        state.say(b" ".join([b"SEARCH", *(b"%d" % number for number in numbers), *tail]))
        return "Search completed."
    facts = {b"COUNT": b"%d" % len(numbers)}
    if numbers:
        facts |= {b"MIN": b"%d" % numbers[0], b"MAX": b"%d" % numbers[-1], b"ALL": number_set(numbers)}
    words = [b'ESEARCH (TAG "%s")' % state.tag.encode()] + ([b"UID"] if by_uid else [])
    words += [
        name + b" " + facts[name] for name in (b"MIN", b"MAX", b"ALL", b"COUNT") if name in options & facts.keys()
    ]
    words += [b"MODSEQ %d" % highest] if highest else []
    state.say(b" ".join(words))
    return "Search completed."


def _return_options(state: State, arguments: list[Value]) -> set[bytes] | None:
    """Take `RETURN (options)` off the arguments; None where it is not there. No option at all means ALL."""
    first = arguments[0] if arguments else None
    if not isinstance(first, Atom) or first.upper() != b"RETURN" or not state.offers("ESEARCH"):
        return None
    if len(arguments) < 2 or not isinstance(arguments[1], list):
        raise Bad("Return options are missing")
    options = {text_of(option).upper() for option in arguments[1]}
    if options - {b"MIN", b"MAX", b"ALL", b"COUNT"}:
        raise Bad("Unknown SEARCH return option")
    del arguments[:2]
    return options or {b"ALL"}


def _asks_modseq(words: list[Value]) -> bool:
    """Whether MODSEQ is among the keys; the answer then tells the highest one found (RFC 7162 section 3.1.5)."""
    return any(
        _asks_modseq(word) if isinstance(word, list) else isinstance(word, Atom) and word.upper() == b"MODSEQ"
        for word in words
    )


def search(state: State, arguments: list[Value]) -> list[tuple[int, StoredMail]]:
    """(sequence number, message) of all that match; raises Bad for an unknown key."""
    assert state.selected is not None
    words = list(reversed(arguments))
    if words and isinstance(words[-1], Atom) and words[-1].upper() == b"CHARSET":
        words.pop()
        if _next(words).upper() not in (b"UTF-8", b"US-ASCII"):
            raise No("Unknown charset", "BADCHARSET")
    if not words:
        raise Bad("Missing search keys")
    tests = _all(state, words)
    found = []
    for number, uid in enumerate(state.view, 1):
        mail = state.selected.messages.get(uid)
        if mail is not None and all(test(number, mail) for test in tests):
            found.append((number, mail))
    return found


def _all(state: State, words: list[Value]) -> list[Test]:
    tests = []
    while words:
        tests.append(_key(state, words))
    return tests


def _next(words: list[Value]) -> bytes:
    if not words:
        raise Bad("Missing argument")
    return text_of(words.pop())


def _key(state: State, words: list[Value]) -> Test:
    """The test that the next key means; `words` are what is left of the command, last first."""
    if not words:
        raise Bad("Missing argument")
    word = words.pop()
    if isinstance(word, list):
        inner = _all(state, list(reversed(word)))
        return lambda number, mail: all(test(number, mail) for test in inner)
    name = word.upper().decode("ascii", "replace")
    if name[:1].isdigit() or name[:1] == "*":
        numbers = numbers_in(word, range(1, len(state.view) + 1), strict=False)
        return lambda number, _: number in numbers
    if name == "NOT":
        test = _key(state, words)
        return lambda number, mail: not test(number, mail)
    if name == "OR":
        one, other = _key(state, words), _key(state, words)
        return lambda number, mail: one(number, mail) or other(number, mail)
    if name == "UID":
        uids = numbers_in(Atom(_next(words)), state.view, strict=False)
        return lambda _, mail: mail.uid in uids
    return _flag_key(name, words) or _text_key(name, words)


def _flag_key(name: str, words: list[Value]) -> Test | None:
    if name in ("ALL", "OLD"):
        return lambda _, __: True
    if name in ("NEW", "RECENT"):
        return lambda _, __: False
    wanted = not name.startswith("UN")
    bare = name if wanted else name[2:]
    if bare == "KEYWORD":
        flag = _next(words).decode("ascii", "replace")
    elif bare in _FLAGS:
        flag = f"\\{bare}"
    else:
        return None
    return lambda _, mail: mail.has(flag) is wanted


def _modseq_key(words: list[Value]) -> Test:
    """MODSEQ [entry type] n; this server counts changes of all flags together."""
    if words and isinstance(words[-1], Quoted):
        words.pop()
        if _next(words).lower() not in (b"all", b"priv", b"shared"):
            raise Bad("Invalid entry type")
    least = _number(_next(words))
    return lambda _, mail: mail.modseq >= least


def _text_key(name: str, words: list[Value]) -> Test:
    if name == "MODSEQ":
        return _modseq_key(words)
    if name == "HEADER" or name in _HEADERS:
        field = (_next(words) if name == "HEADER" else name.encode()).lower()
        text = _next(words).lower()
        return lambda _, mail: _has_field(mail.content, field, text)
    if name in ("BODY", "TEXT"):
        text = _next(words).lower()
        return lambda _, mail: text in mail.content[header_end(mail.content) if name == "BODY" else 0 :].lower()
    if name in ("LARGER", "SMALLER"):
        size = _number(_next(words))
        return lambda _, mail: len(mail.content) > size if name == "LARGER" else len(mail.content) < size
    if name in ("BEFORE", "ON", "SINCE"):
        day = _day(_next(words))
        return lambda _, mail: _on(name, mail.when // 86400, day)
    raise Bad(f"Unknown argument {name}")


def _has_field(content: bytes, name: bytes, text: bytes) -> bool:
    fields = iter_fields(content[: header_end(content)])
    return any(found == name and text in unfold(value).lower() for found, value in fields)


def _number(word: bytes) -> int:
    if not word.isdigit():
        raise Bad("Not a number")
    return int(word)


def _day(word: bytes) -> int:
    """Days since 1970 of IMAP's `1-Feb-2024`."""
    try:
        day, month, year = word.decode("ascii").split("-")
        moment = datetime(int(year), _MONTHS.index(month.lower()) + 1, int(day), tzinfo=UTC)
    except ValueError:
        raise Bad("Invalid date") from None
    return int(moment.timestamp()) // 86400


def _on(name: str, day: int, asked: int) -> bool:
    return {"BEFORE": day < asked, "ON": day == asked, "SINCE": day >= asked}[name]
