"""APPEND with one message or many (RFC 3501 section 6.3.11, RFC 3502 MULTIAPPEND, RFC 4315 APPENDUID)."""

from hikkoshi.demo.mailboxes import Draft
from hikkoshi.demo.parser import Literal, Quoted, Value
from hikkoshi.demo.replies import Bad
from hikkoshi.demo.state import State, flags_of, folder_of, number_set
from hikkoshi.mail.dates import parse_imap_date


def append(state: State, arguments: list[Value]) -> str:
    """Store every message of the command, or none."""
    folder, drafts = _read(arguments)
    if not drafts:
        raise Bad("Missing message")
    if len(drafts) > 1 and not state.offers("MULTIAPPEND"):
        raise Bad("One message at a time")
    mailbox, stored = state.account.append(folder, drafts)
    if not state.offers("UIDPLUS"):
        return "Append completed."
    uids = number_set([mail.uid for mail in stored]).decode()
    return f"[APPENDUID {mailbox.uidvalidity} {uids}] Append completed."


def check_announced(state: State, arguments: list[Value], size: int) -> None:
    """Raise what is wrong with an APPEND before a literal of `size` bytes is read behind `arguments`."""
    if not arguments:
        return  # it is the folder's name
    folder, drafts = _read([*arguments, Literal()])
    state.account.get(folder, "TRYCREATE")
    state.account.check_room([*(len(draft.content) for draft in drafts[:-1]), size])


def _read(arguments: list[Value]) -> tuple[str, list[Draft]]:
    if not arguments:
        raise Bad("Missing folder")
    drafts: list[Draft] = []
    flags: frozenset[str] = frozenset()
    when: int | None = None
    stage = 0  # how far into [flags] [date] literal
    for value in arguments[1:]:
        if isinstance(value, Literal):
            drafts.append(Draft(value, flags, when))
            flags, when, stage = frozenset(), None, 0
        elif isinstance(value, list) and stage == 0:
            flags, stage = flags_of(value), 1
        elif isinstance(value, Quoted) and stage <= 1:
            when, stage = parse_imap_date(value.decode("ascii", "replace")), 2
            if when is None:
                raise Bad("Invalid internal date")
        else:
            raise Bad("Invalid arguments")
    if stage:
        raise Bad("Missing message")
    return folder_of(arguments[0]), drafts
