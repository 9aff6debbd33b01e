"""One connection's conversation, without the connection: a command in, lines out."""

from collections.abc import Callable, Sequence

from hikkoshi.demo import append, changes, folder_commands, listing, message_commands
from hikkoshi.demo.faults import Cut, Faults
from hikkoshi.demo.parser import Command, Literal, Value, parse, tag_of
from hikkoshi.demo.replies import Bad, No
from hikkoshi.demo.state import State, need, text_of

Handler = Callable[[State, list[Value]], str]

_WORD_LIMIT = 64 * 1024  # bytes of a literal that is no mail
_UNWANTED = 20  # BADs in a row after which Dovecot, too, has had enough


class Session:
    """The commands of one connection; `state.out` fills with what is to be sent."""

    def __init__(self, state: State, faults: Faults) -> None:
        self.state = state
        self._faults = faults
        self._bad_in_a_row = 0

    def greeting(self) -> bytes:
        """The first line."""
        offered = " ".join(self.state.capabilities)
        return f"* OK [CAPABILITY {offered} AUTH=PLAIN] hikkoshi's demo server: nothing here is kept\r\n".encode()

    def announced(self, texts: Sequence[bytes], literals: Sequence[Literal], size: int) -> str | None:
        """What is wrong with a command before a literal of `size` bytes is read: the tagged answer's text, or None.

        `texts` are the pieces of the command so far without the `{n}`s, `literals` those between them.
        """
        try:
            *before, last = texts
            if not last.endswith(b" "):
                raise Bad("A blank is missing before a literal")
            command = parse([*before, last.removesuffix(b" ")], literals)
            self._handler(command.name)
            if command.name == "APPEND":
                append.check_announced(self.state, command.arguments, size)
            if size > _WORD_LIMIT and (command.name != "APPEND" or not command.arguments):
                raise Bad("Literal too long")
        except (No, Bad) as refusal:
            return self._count(refusal)
        return None

    def run(self, texts: Sequence[bytes], literals: Sequence[Literal]) -> None:
        """Carry out one whole command; never raises but Cut. Everything to be sent is in `state.out` then."""
        tag = tag_of(texts[0])
        try:
            command = parse(texts, literals)
            handler = self._handler(command.name)
            self.state.tag = tag
            done = self._planned(command) or "OK " + handler(self.state, command.arguments)
            if command.name == "APPEND" and self._faults.lose_append_ok:
                self._faults.lose_append_ok -= 1
                raise Cut
            self._bad_in_a_row = 0
            # RFC 3501 section 7.4.1: numbers must not shift under a command that works with them.
            self.state.tell_news(expunges=command.name not in ("FETCH", "STORE", "SEARCH"))
        except (No, Bad) as refusal:
            done = self._count(refusal)
        self.answer(tag, done)

    def answer(self, tag: str, text: str) -> None:
        """A tagged response."""
        self.state.out.append(f"{tag} {text}\r\n".encode())

    def log_in(self, user: str, password: str) -> str:
        """The tagged answer's text for these credentials."""
        account = self.state.account
        if (user, password) != (account.user, account.password):
            return "NO [AUTHENTICATIONFAILED] Authentication failed."
        self.state.logged_in = True
        return f"OK [CAPABILITY {' '.join(self.state.capabilities)}] Logged in"

    def _count(self, refusal: No | Bad) -> str:
        if isinstance(refusal, Bad):
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= _UNWANTED:
                self.state.say(b"BYE Too many invalid IMAP commands.")
                self.state.leaving = True
        return str(refusal)

    def _handler(self, name: str) -> Handler:
        """What carries `name` out in the present state (RFC 3501 section 3)."""
        always: dict[str, Handler] = {
            "CAPABILITY": _capability, "NOOP": _nothing, "LOGOUT": _logout, "ID": _identify,
        }  # fmt: skip
        if name in always:
            return always[name]
        if not self.state.logged_in:
            if name == "LOGIN":
                return self._login
            raise Bad("Please log in first")
        needed = _EXTENSIONS.get(name)
        if (name not in _COMMANDS and name not in _SELECTED) or (needed and not self.state.offers(needed)):
            raise Bad(f"Unknown command {name}")
        if name in _SELECTED:
            if self.state.selected is None:
                raise Bad("No mailbox selected")
            return _SELECTED[name]
        return _COMMANDS[name]

    def _login(self, _state: State, arguments: list[Value]) -> str:
        need(arguments, 2)
        user, password = (text_of(value).decode("utf-8", "replace") for value in arguments)
        status, _, text = self.log_in(user, password).partition(" ")
        if status == "NO":
            raise No(text.removeprefix("[AUTHENTICATIONFAILED] "), "AUTHENTICATIONFAILED")
        return text

    def _planned(self, command: Command) -> str | None:
        """The answer that a fault gives to an APPEND instead of carrying it out; what is altered is, here."""
        if command.name != "APPEND":
            return None
        faults, arguments = self._faults, command.arguments
        if faults.append_answers and (answer := faults.append_answers.popleft()):
            return answer
        messages = [at for at, value in enumerate(arguments) if at and isinstance(value, Literal)]
        if faults.refuse is not None:
            answers = (faults.refuse(text_of(arguments[at])) for at in messages)
            if answer := next(filter(None, answers), None):
                return answer
        if faults.alter is not None:
            for at in messages:
                arguments[at] = Literal(faults.alter(text_of(arguments[at])))
        for at, value in enumerate(arguments):
            if isinstance(value, list):
                arguments[at] = [flag for flag in value if flag not in faults.lost_flags]
        return None


def _capability(state: State, arguments: list[Value]) -> str:
    need(arguments, 0)
    state.say(f"CAPABILITY {' '.join(state.capabilities)}".encode() + (b"" if state.logged_in else b" AUTH=PLAIN"))
    return "Capability completed."


def _nothing(_state: State, arguments: list[Value]) -> str:
    need(arguments, 0)
    return "Completed."


def _logout(state: State, arguments: list[Value]) -> str:
    need(arguments, 0)
    state.say(b"BYE Logging out")
    state.leave_folder()
    state.leaving = True
    return "Logout completed."


def _identify(state: State, arguments: list[Value]) -> str:
    need(arguments, 1)
    state.say(b'ID ("name" "hikkoshi demo")')
    return "ID completed."


def _compress(state: State, arguments: list[Value]) -> str:
    """COMPRESS DEFLATE (RFC 4978); the connection does it, from behind this answer on."""
    need(arguments, 1)
    if text_of(arguments[0]).upper() != b"DEFLATE":
        raise Bad("Unsupported compression mechanism")
    if state.compressed:
        raise No("COMPRESSION is already enabled.", "COMPRESSIONACTIVE")
    state.compressed = True
    return "Begin compression."


_COMMANDS: dict[str, Handler] = {
    "APPEND": append.append,
    "COMPRESS": _compress,
    "CREATE": folder_commands.create,
    "DELETE": folder_commands.delete,
    "ENABLE": changes.enable,
    "EXAMINE": message_commands.examine,
    "GETQUOTA": folder_commands.get_quota,
    "GETQUOTAROOT": folder_commands.get_quota_root,
    "LIST": listing.list_,
    "LSUB": listing.lsub,
    "NAMESPACE": folder_commands.namespace,
    "RENAME": folder_commands.rename,
    "SELECT": message_commands.select,
    "SETQUOTA": folder_commands.set_quota,
    "STATUS": folder_commands.status,
    "SUBSCRIBE": folder_commands.subscribe,
    "UNSUBSCRIBE": folder_commands.unsubscribe,
}
_SELECTED: dict[str, Handler] = {
    "CHECK": _nothing,
    "CLOSE": message_commands.close,
    "COPY": message_commands.copy,
    "EXPUNGE": message_commands.expunge,
    "FETCH": message_commands.fetch,
    "SEARCH": message_commands.search,
    "STORE": message_commands.store,
    "UID COPY": message_commands.uid_copy,
    "UID EXPUNGE": message_commands.uid_expunge,
    "UID FETCH": message_commands.uid_fetch,
    "UID SEARCH": message_commands.uid_search,
    "UID STORE": message_commands.uid_store,
    "UNSELECT": message_commands.unselect,
}
# Commands that are there only with a capability.
_EXTENSIONS = {
    "COMPRESS": "COMPRESS=DEFLATE",
    "ENABLE": "ENABLE",
    "GETQUOTA": "QUOTA",
    "GETQUOTAROOT": "QUOTA",
    "NAMESPACE": "NAMESPACE",
    "SETQUOTA": "QUOTA",
    "UID EXPUNGE": "UIDPLUS",
    "UNSELECT": "UNSELECT",
}
