"""Commands about folders and quota: LIST, LSUB, CREATE, DELETE, RENAME, SUBSCRIBE, STATUS, NAMESPACE, GETQUOTA.

RFC 3501 section 6.3, RFC 2342 (NAMESPACE), RFC 2087 (QUOTA), RFC 6154 (SPECIAL-USE), RFC 8438 (STATUS=SIZE).
"""

import re
from collections.abc import Callable

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
}


def list_(state: State, arguments: list[Value]) -> str:
    """LIST reference pattern: the folders, the levels above them as \\Noselect, special uses as attributes."""
    need(arguments, 2)
    if not text_of(arguments[1]):
        state.say(b'LIST (\\Noselect) "%s" ""' % DELIMITER.encode())
        return "List completed."
    matches = _pattern(arguments)
    for name, mailbox in state.account.names():
        if matches.fullmatch(name):
            attributes = ["\\HasChildren" if state.account.has_children(name) else "\\HasNoChildren"]
            if mailbox is None:
                attributes.insert(0, "\\Noselect")
            elif mailbox.attribute:
                attributes.append(mailbox.attribute)
            _say_folder(state, "LIST", attributes, name)
    return "List completed."


def lsub(state: State, arguments: list[Value]) -> str:
    """LSUB reference pattern: the subscribed folders."""
    need(arguments, 2)
    matches = _pattern(arguments)
    for name in sorted(state.account.subscribed):
        if matches.fullmatch(name):
            _say_folder(state, "LSUB", [], name)
    return "Lsub completed."


def _say_folder(state: State, response: str, attributes: list[str], name: str) -> None:
    state.say(f'{response} ({" ".join(attributes)}) "{DELIMITER}" '.encode() + folder_name(name))


def _pattern(arguments: list[Value]) -> re.Pattern[str]:
    """Reference and pattern as a regular expression: `*` crosses levels, `%` does not; INBOX folds case."""
    wanted = canonical(folder_of(arguments[0]) + folder_of(arguments[1]))
    parts = {"*": ".*", "%": f"[^{DELIMITER}]*"}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in wanted), re.DOTALL)


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
    items = arguments[1]
    if not isinstance(items, list) or not items:
        raise Bad("Status items are missing")
    names = [text_of(item).decode("ascii", "replace").upper() for item in items]
    for name in names:
        if name not in _STATUS or (name == "SIZE" and not state.offers("STATUS=SIZE")):
            raise Bad(f"Invalid status item {name}")
    mailbox = state.account.get(folder_of(arguments[0]))
    facts = " ".join(f"{name} {_STATUS[name](mailbox)}" for name in names)
    state.say(b"STATUS " + folder_name(mailbox.name) + f" ({facts})".encode())
    return "Status completed."


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
