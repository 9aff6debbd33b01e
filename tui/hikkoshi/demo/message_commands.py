"""Commands about the selected folder and its messages: SELECT, FETCH, STORE, SEARCH, COPY, EXPUNGE, CLOSE.

RFC 3501 sections 6.3.1, 6.3.2 and 6.4; RFC 4315 (UIDPLUS); RFC 3691 (UNSELECT).
"""

from collections.abc import Callable

from hikkoshi.demo import fetch as items
from hikkoshi.demo.append import uid_set
from hikkoshi.demo.mailboxes import Draft, Mailbox
from hikkoshi.demo.parser import Value
from hikkoshi.demo.replies import Bad, No
from hikkoshi.demo.search import search as find
from hikkoshi.demo.state import SYSTEM_FLAGS, State, flags_of, folder_of, need, numbers_in, text_of


def select(state: State, arguments: list[Value]) -> str:
    """SELECT folder."""
    return _open(state, arguments, read_only=False)


def examine(state: State, arguments: list[Value]) -> str:
    """EXAMINE folder: nothing that is done changes it."""
    return _open(state, arguments, read_only=True)


def _open(state: State, arguments: list[Value], *, read_only: bool) -> str:
    need(arguments, 1)
    state.leave_folder()  # also where the new one cannot be had (RFC 3501 section 6.3.1)
    mailbox = state.account.get(folder_of(arguments[0]))
    state.selected, state.read_only, state.view = mailbox, read_only, list(mailbox.messages)
    keywords = {flag for mail in mailbox.messages.values() for flag in mail.flags if not flag.startswith("\\")}
    known = " ".join([*SYSTEM_FLAGS, *sorted(keywords)])
    state.say(f"FLAGS ({known})".encode())
    permanent = "()" if read_only else f"({known} \\*)"
    state.say(f"OK [PERMANENTFLAGS {permanent}] Flags permitted.".encode())
    state.say(b"%d EXISTS" % len(state.view))
    state.say(b"0 RECENT")
    for number, uid in enumerate(state.view, 1):
        if not mailbox.messages[uid].has("\\Seen"):
            state.say(b"OK [UNSEEN %d] First unseen." % number)
            break
    state.say(b"OK [UIDVALIDITY %d] UIDs valid" % mailbox.uidvalidity)
    state.say(b"OK [UIDNEXT %d] Predicted next UID" % mailbox.uidnext)
    return "[READ-ONLY] Examine completed." if read_only else "[READ-WRITE] Select completed."


def unselect(state: State, arguments: list[Value]) -> str:
    """UNSELECT: leave the folder as it is."""
    need(arguments, 0)
    state.leave_folder()
    return "Unselect completed."


def close(state: State, arguments: list[Value]) -> str:
    """CLOSE: remove what is marked \\Deleted, without saying so, and leave."""
    need(arguments, 0)
    if not state.read_only:
        _expunge(_folder(state), lambda _: True)
    state.leave_folder()
    return "Close completed."


def fetch(state: State, arguments: list[Value], *, by_uid: bool = False) -> str:
    """FETCH set items."""
    need(arguments, 2)
    wanted = items.items_of(arguments[1], by_uid=by_uid)
    for number, mail in state.chosen(arguments[0], by_uid=by_uid):
        newly_seen = items.marks_seen(wanted) and not state.read_only and not mail.has("\\Seen")
        asked = wanted
        if newly_seen:
            mail.flags |= {"\\Seen"}
            if items.Item(b"FLAGS") not in wanted:
                asked = [*wanted, items.Item(b"FLAGS")]
        state.say(b"%d FETCH " % number + items.answer(mail, asked))
    return "Fetch completed."


def uid_fetch(state: State, arguments: list[Value]) -> str:
    """UID FETCH set items."""
    return fetch(state, arguments, by_uid=True)


def store(state: State, arguments: list[Value], *, by_uid: bool = False) -> str:
    """STORE set [+|-]FLAGS[.SILENT] flags."""
    if len(arguments) < 3:
        raise Bad("Missing arguments")
    how = text_of(arguments[1]).upper().decode("ascii", "replace")
    what, _, silent = how.partition(".")
    if what not in ("FLAGS", "+FLAGS", "-FLAGS") or silent not in ("", "SILENT"):
        raise Bad(f"Unknown store item {how}")
    given = arguments[2] if isinstance(arguments[2], list) else arguments[2:]
    flags = flags_of(given)
    if state.read_only:
        raise No("Mailbox is read-only", "READ-ONLY")
    for number, mail in state.chosen(arguments[0], by_uid=by_uid):
        folded = {flag.casefold() for flag in flags}
        others = frozenset(flag for flag in mail.flags if flag.casefold() not in folded)
        mail.flags = {"FLAGS": flags, "+FLAGS": others | flags, "-FLAGS": others}[what]
        if not silent:
            uid = b"UID %d " % mail.uid if by_uid else b""
            state.say(b"%d FETCH (%sFLAGS %s)" % (number, uid, items.flag_list(mail.flags)))
    return "Store completed."


def uid_store(state: State, arguments: list[Value]) -> str:
    """UID STORE set [+|-]FLAGS[.SILENT] flags."""
    return store(state, arguments, by_uid=True)


def search(state: State, arguments: list[Value]) -> str:
    """SEARCH keys: sequence numbers."""
    state.say(b" ".join([b"SEARCH", *(b"%d" % number for number, _ in find(state, arguments))]))
    return "Search completed."


def uid_search(state: State, arguments: list[Value]) -> str:
    """UID SEARCH keys: UIDs."""
    state.say(b" ".join([b"SEARCH", *(b"%d" % mail.uid for _, mail in find(state, arguments))]))
    return "Search completed."


def copy(state: State, arguments: list[Value], *, by_uid: bool = False) -> str:
    """COPY set folder: all or, with a NO, nothing; flags and dates go along."""
    need(arguments, 2)
    mails = [mail for _, mail in state.chosen(arguments[0], by_uid=by_uid)]
    target, copies = state.account.append(
        folder_of(arguments[1]), [Draft(mail.content, mail.flags, mail.when) for mail in mails]
    )
    if not mails:
        return "No messages found."
    if not state.offers("UIDPLUS"):
        return "Copy completed."
    old, new = uid_set([mail.uid for mail in mails]), uid_set([mail.uid for mail in copies])
    return f"[COPYUID {target.uidvalidity} {old} {new}] Copy completed."


def uid_copy(state: State, arguments: list[Value]) -> str:
    """UID COPY set folder."""
    return copy(state, arguments, by_uid=True)


def expunge(state: State, arguments: list[Value]) -> str:
    """EXPUNGE: remove what is marked \\Deleted; the session tells of it."""
    need(arguments, 0)
    return _expunge_some(state, lambda _: True)


def uid_expunge(state: State, arguments: list[Value]) -> str:
    """UID EXPUNGE set: remove what is marked \\Deleted and in the set."""
    need(arguments, 1)
    uids = numbers_in(arguments[0], state.view, strict=False)
    return _expunge_some(state, uids.__contains__)


def _expunge_some(state: State, chosen: Callable[[int], bool]) -> str:
    if state.read_only:
        raise No("Mailbox is read-only", "READ-ONLY")
    _expunge(_folder(state), chosen)
    return "Expunge completed."


def _expunge(mailbox: Mailbox, chosen: Callable[[int], bool]) -> None:
    for uid in [mail.uid for mail in mailbox.messages.values() if mail.has("\\Deleted") and chosen(mail.uid)]:
        del mailbox.messages[uid]


def _folder(state: State) -> Mailbox:
    assert state.selected is not None
    return state.selected
