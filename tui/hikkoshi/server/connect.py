"""From a Login to a connection that is logged in, or to a sentence that says why not.

TLS 1.2 or later, chain and name verified, always; nothing but the greeting, CAPABILITY and STARTTLS goes
over a line that is not encrypted, unless it leads to this very machine.
"""

import imaplib
import ssl

from hikkoshi.errors import ConnectFailed, ConnectionLost, LoginRefused, ProtocolBroken, UsageError
from hikkoshi.i18n import _
from hikkoshi.server import failures
from hikkoshi.server.login import Login, is_loopback
from hikkoshi.server.transport import GuardedIMAP4
from hikkoshi.server.writer import quoted


def connect(login: Login) -> GuardedIMAP4:
    """A connection to the server, logged in, with the capabilities it has for this user.

    Raises ConnectFailed, LoginRefused or ProtocolBroken, UsageError for a CA file that is none.
    """
    if login.security == "plain" and not is_loopback(login.host):
        raise failures.plain_refused(login)
    if not 0 < login.port < 1 << 16:
        # The C library would take it modulo 65536 and knock at some other door.
        raise failures.unreachable(login, OverflowError())
    context = None if login.security == "plain" else tls_context(login)
    try:
        imap = GuardedIMAP4(login, context)
    except ConnectionLost:
        raise failures.unreachable(login, ConnectionResetError()) from None
    except (ProtocolBroken, UnicodeDecodeError):
        raise failures.not_imap(login, b"") from None
    except imaplib.IMAP4.error as error:
        raise _no_greeting(login, error) from None
    except (OSError, UnicodeError) as error:
        raise failures.unreachable(login, error) from None
    try:
        _enter(imap, login)
    except BaseException:
        imap.shutdown()
        raise
    return imap


def _enter(imap: GuardedIMAP4, login: Login) -> None:
    """STARTTLS where asked for, the login, and CAPABILITY where the server has not told it unasked."""
    try:
        if imap.state != "NONAUTH":
            # PREAUTH: nobody knows whose mail this is, and no STARTTLS is possible any more.
            raise LoginRefused(
                _(
                    "The server {host} says that somebody is logged in already, without asking who. The password "
                    "was not sent."
                ).format(host=login.host)
            )
        if login.security == "starttls":
            if "STARTTLS" not in imap.capabilities:
                raise failures.no_starttls(login, b"")
            imap.upgrade()
        try:
            _log_in(imap, login)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise failures.login_refused(login, str(error)) from None
        # Many servers say more, or less, to a user than to a stranger.
        imap.renew_capabilities()
    except ssl.SSLError as error:
        raise failures.tls_failure(login, error) from None
    except imaplib.IMAP4.error as error:
        farewell = imap.farewell()
        if farewell is not None:
            raise failures.turned_away(login, farewell) from None
        raise failures.broken(login.host, failures.without_secret(str(error), login)) from None
    except (OSError, ConnectionLost) as error:
        raise failures.unreachable(login, error) from None
    except ValueError as error:
        raise failures.broken(login.host, failures.without_secret(str(error), login)) from None


def tls_context(login: Login) -> ssl.SSLContext:
    """TLS 1.2 or later, chain and name verified against the system's roots and those of `ca_file`."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if login.ca_file is not None:
        try:
            context.load_verify_locations(cafile=login.ca_file)
        except ssl.SSLError:
            raise UsageError(
                _("{file} holds no certificate in PEM form; --ca-file needs one.").format(file=login.ca_file)
            ) from None
        except OSError as error:
            raise UsageError(
                _("The CA file {file} cannot be read: {reason}.").format(file=login.ca_file, reason=error.strerror)
            ) from None
    return context


def capabilities(imap: GuardedIMAP4) -> frozenset[str]:
    """What the server can do for the user who is logged in, upper case."""
    return frozenset(imap.capabilities)


def _log_in(imap: GuardedIMAP4, login: Login) -> None:
    """AUTHENTICATE PLAIN where offered (any character may be in a password), else LOGIN."""
    if "AUTH=PLAIN" in imap.capabilities:
        imap.authenticate_plain(login.user, login.password)
        return
    if "LOGINDISABLED" in imap.capabilities:
        raise _no_password_login(login, imap.capabilities)
    try:
        words = quoted(login.user.encode()), quoted(login.password.encode())
    except ValueError:
        raise LoginRefused(
            _("The user name or the password has a line end or a NUL in it; neither was sent.")
        ) from None
    imap.untagged_responses.clear()
    typ, data = imap._simple_command("LOGIN", *words)
    if typ != "OK":
        raise imap.error(data[-1].decode("utf-8", "replace"))
    imap.state = "AUTH"


def _no_greeting(login: Login, error: imaplib.IMAP4.error) -> ConnectFailed:
    words = error.args[0] if error.args else b""
    raw = words if isinstance(words, bytes) else str(words or "").encode()
    if raw.upper().startswith(b"* BYE"):
        return failures.turned_away(login, raw[len(b"* BYE") :])
    return failures.not_imap(login, raw)


def _no_password_login(login: Login, offered: tuple[str, ...]) -> LoginRefused:
    methods = sorted(name.removeprefix("AUTH=") for name in offered if name.startswith("AUTH="))
    if login.security == "plain":
        sentence = _(
            "The server {host} takes no password over a line without TLS; none was sent. Use imaps://, or imap:// "
            "with STARTTLS."
        )
    elif methods:
        sentence = _(
            "The server {host} takes no plain password; none was sent. It offers {methods}, which hikkoshi does not "
            "speak. Does the provider have app passwords, or IMAP to be switched on?"
        )
    else:
        sentence = _("The server {host} lets nobody log in with a password; none was sent. Is IMAP switched on there?")
    return LoginRefused(sentence.format(host=login.host, methods=failures.said(", ".join(methods))))
