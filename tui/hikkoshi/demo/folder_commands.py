"""Commands about folders and quota: CREATE, DELETE, RENAME, SUBSCRIBE, STATUS, NAMESPACE, GETQUOTA.

RFC 3501 section 6.3, RFC 2342 (NAMESPACE), RFC 2087 (QUOTA), RFC 8438 (STATUS=SIZE), RFC 7162 (HIGHESTMODSEQ).
"""

from collections.abc import Callable, Sequence

from hikkoshi.demo.changes import use
from hikkoshi.demo.mailboxes import DELIMITER, Mailbox, canonical
from hikkoshi.demo.parser import Value, quote
from hikkoshi.demo.replies import Bad, No
from hikkoshi.demo.state import State, folder_name, folder_of, need, text_of

_STATUS: dict[str, Callable[[Mailbox], int]] = {
    "MESSAGES": lambda mailbox: len(mailbox.messages),
    "RECENT": lambda _: 0,
    "UIDNEXT": lambda mailbox: mailbox.uidnext,
    "UIDVALIDITY": lambda mailbox: mailbox.uidvalidity,
    "UNSEEN": Mailbox.unseen,
    "SIZE": lambda mailbox: mailbox.size,
    "HIGHESTMODSEQ": lambda mailbox: mailbox.highest,
}
_STATUS_NEEDS = {"SIZE": "STATUS=SIZE", "HIGHESTMODSEQ": "CONDSTORE"}


def create(state: State, arguments: list[Value]) -> str:
    """CREATE folder."""
    need(arguments, 1)
    state.account.create(folder_of(arguments[0]))
    return "Create completed."


def delete(state: State, arguments: list[Value]) -> str:
    """DELETE folder; a connection that has it selected finds it empty."""
    need(arguments, 1)
    mailbox = state.account.get(folder_of(arguments[0]))
    state.account.delete(mailbox.name)
    mailbox.messages.clear()
    return "Delete completed."


def rename(state: State, arguments: list[Value]) -> str:
    """RENAME folder folder."""
    need(arguments, 2)
    state.account.rename(folder_of(arguments[0]), folder_of(arguments[1]))
    return "Rename completed."


def subscribe(state: State, arguments: list[Value]) -> str:
    """SUBSCRIBE folder."""
    need(arguments, 1)
    state.account.subscribed.add(state.account.get(folder_of(arguments[0])).name)
    return "Subscribe completed."


def unsubscribe(state: State, arguments: list[Value]) -> str:
    """UNSUBSCRIBE folder; fine if it was not subscribed."""
    need(arguments, 1)
    state.account.subscribed.discard(canonical(folder_of(arguments[0])))
    return "Unsubscribe completed."


def status(state: State, arguments: list[Value]) -> str:
    """STATUS folder (items)."""
    need(arguments, 2)
    names = check_status_items(state, arguments[1])
    say_status(state, state.account.get(folder_of(arguments[0])), names)
    return "Status completed."


def check_status_items(state: State, items: Value) -> tuple[str, ...]:
    """The names in STATUS's list; Bad for one that is not known or not offered."""
    if not isinstance(items, list) or not items:
        raise Bad("Status items are missing")
    names = tuple(text_of(item).decode("ascii", "replace").upper() for item in items)
    for name in names:
        needed = _STATUS_NEEDS.get(name)
        if name not in _STATUS or (needed and not state.offers(needed)):
            raise Bad(f"Invalid status item {name}")
    if "HIGHESTMODSEQ" in names:
        use(state)
    return names


def say_status(state: State, mailbox: Mailbox, names: Sequence[str]) -> None:
    """A STATUS response."""
    facts = " ".join(f"{name} {_STATUS[name](mailbox)}" for name in names)
    state.say(b"STATUS " + folder_name(mailbox.name) + f" ({facts})".encode())


def namespace(state: State, arguments: list[Value]) -> str:
    """NAMESPACE: one, without a prefix."""
    need(arguments, 0)
    state.say(f'NAMESPACE (("" "{DELIMITER}")) NIL NIL'.encode())
    return "Namespace completed."


def get_quota(state: State, arguments: list[Value]) -> str:
    """GETQUOTA root."""
    need(arguments, 1)
    if text_of(arguments[0]).decode("utf-8", "replace") != state.account.quota_root:
        raise No("Quota root doesn't exist")
    _say_quota(state)
    return "Getquota completed."


def get_quota_root(state: State, arguments: list[Value]) -> str:
    """GETQUOTAROOT folder: the account's one root, also for a folder that is still to be made, as on Dovecot."""
    need(arguments, 1)
    name = folder_name(folder_of(arguments[0]))
    state.say(b"QUOTAROOT " + name + b" " + quote(state.account.quota_root.encode()))
    _say_quota(state)
    return "Getquotaroot completed."


def set_quota(_state: State, _arguments: list[Value]) -> str:
    """SETQUOTA: never."""
    raise No("Quota can be changed only by admin")


def _say_quota(state: State) -> None:
    account = state.account
    resources = []
    if account.storage_limit is not None:
        resources.append(f"STORAGE {account.used_storage} {account.storage_limit}")
    if account.message_limit is not None:
        resources.append(f"MESSAGE {account.used_messages} {account.message_limit}")
    state.say(b"QUOTA " + quote(account.quota_root.encode()) + f" ({' '.join(resources)})".encode())
