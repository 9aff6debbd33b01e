"""Commands about the selected folder and its messages: SELECT, FETCH, STORE, SEARCH, COPY, EXPUNGE, CLOSE.

RFC 3501 sections 6.3.1, 6.3.2 and 6.4; RFC 4315 (UIDPLUS); RFC 3691 (UNSELECT); RFC 7162 by
`hikkoshi.demo.changes`.
"""

from collections.abc import Callable

from hikkoshi.demo import changes
from hikkoshi.demo import fetch as items
from hikkoshi.demo.mailboxes import Draft, Mailbox, StoredMail
from hikkoshi.demo.parser import Value
from hikkoshi.demo.replies import Bad, No
from hikkoshi.demo.search import search_answer
from hikkoshi.demo.state import SYSTEM_FLAGS, State, flags_of, folder_of, need, number_set, numbers_in, text_of


def select(state: State, arguments: list[Value]) -> str:
    """SELECT folder."""
    return _open(state, arguments, read_only=False)


def examine(state: State, arguments: list[Value]) -> str:
    """EXAMINE folder: nothing that is done changes it."""
    return _open(state, arguments, read_only=True)


def _open(state: State, arguments: list[Value], *, read_only: bool) -> str:
    need(arguments, 1, 2)
    if state.selected is not None and "QRESYNC" in state.enabled:
        state.say(b"OK [CLOSED] Previous mailbox closed.")
    state.leave_folder()  # also where the new one cannot be had (RFC 3501 section 6.3.1)
    given = changes.select_parameters(state, arguments)
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
    if state.offers("CONDSTORE"):
        state.say(b"OK [HIGHESTMODSEQ %d] Highest" % mailbox.highest)
    if given:
        changes.tell_return(state, mailbox, given)
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
    """FETCH set items [modifiers]."""
    need(arguments, 2, 3)
    wanted = items.items_of(arguments[1], by_uid=by_uid)
    since = changes.fetch_modifiers(state, arguments, by_uid=by_uid)
    if since and items.Item(items.MODSEQ) not in wanted:
        wanted.append(items.Item(items.MODSEQ))
    elif items.Item(items.MODSEQ) in wanted:
        changes.use(state)
    if since and since.vanished:
        changes.tell_vanished(state, _folder(state), arguments[0], since.modseq)
    for number, mail in state.chosen(arguments[0], by_uid=by_uid):
        if since and mail.modseq <= since.modseq:
            continue
        state.say(b"%d FETCH " % number + items.answer(mail, _with_seen(state, mail, wanted)))
    return "Fetch completed."


def _with_seen(state: State, mail: StoredMail, wanted: list[items.Item]) -> list[items.Item]:
    """Mark a message as read where its body is asked for; the items with those that tell of that."""
    if not items.marks_seen(wanted) or state.read_only or mail.has("\\Seen"):
        return wanted
    _folder(state).set_flags([(mail, mail.flags | {"\\Seen"})])
    news = [items.FLAGS, items.MODSEQ] if "CONDSTORE" in state.enabled else [items.FLAGS]
    return wanted + [item for label in news if (item := items.Item(label)) not in wanted]


def uid_fetch(state: State, arguments: list[Value]) -> str:
    """UID FETCH set items."""
    return fetch(state, arguments, by_uid=True)


def store(state: State, arguments: list[Value], *, by_uid: bool = False) -> str:
    """STORE set [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] flags."""
    before = changes.unchanged_since(state, arguments)
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
    chosen = state.chosen(arguments[0], by_uid=by_uid)
    missed = [(number, mail) for number, mail in chosen if before is not None and mail.modseq > before]
    taken = [pair for pair in chosen if pair not in missed]
    after = [(mail, _changed(mail.flags, what, flags)) for _, mail in taken]
    told = [pair for pair, (mail, new) in zip(taken, after, strict=True) if mail.flags != new]
    _folder(state).set_flags(after)
    for number, mail in told:
        changes.tell_flags(state, number, mail, by_uid=by_uid, silent=bool(silent))
    if missed:
        left = number_set([mail.uid if by_uid else number for number, mail in missed]).decode()
        return f"[MODIFIED {left}] Conditional store failed."
    return "Store completed."


def _changed(flags: frozenset[str], how: str, given: frozenset[str]) -> frozenset[str]:
    """`flags` after FLAGS, +FLAGS or -FLAGS; case is folded, and what is there keeps its spelling."""
    there = {flag.casefold() for flag in flags}
    folded = {flag.casefold() for flag in given}
    if how == "FLAGS":
        return given
    if how == "+FLAGS":
        return flags | {flag for flag in given if flag.casefold() not in there}
    return frozenset(flag for flag in flags if flag.casefold() not in folded)


def uid_store(state: State, arguments: list[Value]) -> str:
    """UID STORE set [+|-]FLAGS[.SILENT] flags."""
    return store(state, arguments, by_uid=True)


def search(state: State, arguments: list[Value]) -> str:
    """SEARCH [RETURN (options)] keys: sequence numbers."""
    return search_answer(state, arguments, by_uid=False)


def uid_search(state: State, arguments: list[Value]) -> str:
    """UID SEARCH [RETURN (options)] keys: UIDs."""
    return search_answer(state, arguments, by_uid=True)


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
    old, new = (number_set([mail.uid for mail in each]).decode() for each in (mails, copies))
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
    mailbox, before = _folder(state), _folder(state).highest
    _expunge(mailbox, chosen)
    code = f"[HIGHESTMODSEQ {mailbox.highest}] " if "QRESYNC" in state.enabled and mailbox.highest > before else ""
    return f"{code}Expunge completed."


def _expunge(mailbox: Mailbox, chosen: Callable[[int], bool]) -> None:
    mailbox.remove([mail.uid for mail in mailbox.messages.values() if mail.has("\\Deleted") and chosen(mail.uid)])


def _folder(state: State) -> Mailbox:
    assert state.selected is not None
    return state.selected
