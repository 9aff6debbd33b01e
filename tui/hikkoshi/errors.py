"""Everything that can go wrong, in one tree.

    HikkoshiError                    exit 2 unless a command says otherwise
    ├── UsageError                   an option or a config value makes no sense
    ├── ConfigError                  the config file cannot be read or written
    ├── LocalError
    │   ├── NotAStore                the path holds no mail we can read
    │   ├── AccountNotChosen         several POP accounts, none is the server's login
    │   ├── LocalChanged             the store changed while it was read
    │   └── HelperDied               a child process that was to read it ended
    ├── ServerError
    │   ├── ConnectFailed            unknown host, refused, silent, wrong port
    │   ├── TlsFailed                certificate not trusted, expired, for another name
    │   ├── LoginRefused             wrong password, LOGIN not offered
    │   ├── ConnectionLost           cut in the middle; may be tried again
    │   ├── CommandRefused           NO: the server understood and refused
    │   └── ProtocolBroken           BAD or an answer that makes no sense: the socket is closed
    ├── SecretError                  no password was to be had
    ├── IndexUnusable               the index cannot be opened or written
    ├── LedgerError                  the ledger cannot be opened or written; nothing is sent without it
    │   └── AccountBusy              another hikkoshi is moving the account's mail
    └── Cancelled                    the user, SIGHUP or SIGTERM asked to stop

A message is one sentence or two for the user: what happened, what it means for their mail, what to do next.
It never contains a password, and text that came from a mail or a server is escaped where it is shown.
"""


class HikkoshiError(Exception):
    """Base of every error that reaches the user as a sentence; `exit_code` is the command's."""

    exit_code = 2


class UsageError(HikkoshiError):
    """An option, an address or a config value that makes no sense."""


class ConfigError(HikkoshiError):
    """The config file cannot be read or written."""


class LocalError(HikkoshiError):
    """Something on this PC's side."""


class NotAStore(LocalError):
    """The path holds no mail in a form that hikkoshi reads."""


class AccountNotChosen(LocalError):
    """Several POP accounts in one profile and none of them is the server's login."""


class LocalChanged(LocalError):
    """The store changed under us: the bytes at a place are no longer the mail that was listed."""


class HelperDied(LocalError):
    """A child process ended before it had read what it was asked to."""


class ServerError(HikkoshiError):
    """Something on the server's side.

    `code`: the response code without brackets ('OVERQUOTA'), or ''. `words`: the server's own, as they came, '' where it
    said nothing: for reading what it asks for, never for showing.
    """

    def __init__(self, message: str, code: str = "", words: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.words = words


class ConnectFailed(ServerError):
    """The server was not reached: unknown host, refused, silent, or not an IMAP server."""


class TlsFailed(ServerError):
    """The server's certificate was not accepted, or TLS could not be agreed on."""


class LoginRefused(ServerError):
    """The server did not let us in."""


class ConnectionLost(ServerError):
    """The connection ended in the middle of a conversation; the same step may be tried again."""


class CommandRefused(ServerError):
    """The server answered NO."""


class ProtocolBroken(ServerError):
    """The server answered BAD, or something that is no IMAP. The socket is closed and not used again."""


class SecretError(HikkoshiError):
    """No password was to be had."""


class IndexUnusable(HikkoshiError):
    """The index cannot be opened or written. It holds nothing that cannot be made again."""


class LedgerError(HikkoshiError):
    """The ledger cannot be opened or written. Nothing is sent without it."""


class AccountBusy(LedgerError):
    """Another hikkoshi is moving mail of this account; the message names who, where and since when."""


class Cancelled(HikkoshiError):
    """The user, SIGHUP or SIGTERM asked to stop; all that was done is written down."""
