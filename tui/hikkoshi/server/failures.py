"""The one place where what goes wrong on the way to a server becomes a sentence.

Everything here returns an error of `hikkoshi.errors` for the caller to raise. A server's own words are
quoted sanitised and cut; the password is never among them.
"""

import re
import socket
import ssl
from base64 import b64encode

from hikkoshi.errors import (
    CommandRefused,
    ConnectFailed,
    ConnectionLost,
    LoginRefused,
    ProtocolBroken,
    ServerError,
    TlsFailed,
)
from hikkoshi.i18n import _
from hikkoshi.mail.headers import sanitise
from hikkoshi.server.login import Login

_WORDS_KEPT = 300
_CODE = re.compile(r"\A\[([^\s\]]++)[^\]]*+\]\s*+")

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = (62, 64)  # HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH
_NOT_TRUSTED = (18, 19, 20, 21, 27)  # self-signed (alone, in the chain), issuer unknown (twice), untrusted

# OpenSSL's reasons for an answer that is no TLS at all; the names differ between 1.1, 3.0 and 3.2.
_NO_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
_OLD_TLS = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "INAPPROPRIATE_FALLBACK")

# Response codes (RFC 5530 and its kin) that say that the password is not what is wrong.
_NOT_THE_PASSWORD = frozenset(
    {"LIMIT", "UNAVAILABLE", "INUSE", "CONTACTADMIN", "ALERT", "PRIVACYREQUIRED", "SERVERBUG"}
)


def _text(words: bytes | str) -> str:
    return words if isinstance(words, str) else words.decode("utf-8", "replace")


def said(words: bytes | str) -> str:
    """A server's words for a user's eyes: sanitised, at most a few lines long."""
    text = _text(words)
    text = sanitise(text[: 4 * _WORDS_KEPT]).strip()
    return text if len(text) <= _WORDS_KEPT else text[:_WORDS_KEPT] + "…"


def response_code(words: bytes | str) -> str:
    """The response code at the start of an answer's text ('OVERQUOTA'), upper case, or ''."""
    match = _CODE.match(_text(words))
    return match[1].upper() if match else ""


def readable(native: str) -> str:
    """A folder's native name for a user's eyes."""
    return sanitise(native.removeprefix("\0"))


def refused(what: str, words: bytes | str, code: str = "") -> CommandRefused:
    """NO: `what` is a clause saying what was asked ("The folder x cannot be opened")."""
    code = code or response_code(words)
    text = _text(words)
    answer = said(_CODE.sub("", text, count=1) if text.startswith("[") else text)
    if not answer:
        return CommandRefused(_("{what}; the server does not say why.").format(what=what), code, text)
    return CommandRefused(_("{what}. The server says: {answer}").format(what=what, answer=answer), code, text)


def broken(host: str, words: bytes | str) -> ProtocolBroken:
    """BAD, or an answer that makes no sense."""
    return ProtocolBroken(
        _(
            "The server {host} answered with something that makes no sense here: {answer}. The connection was "
            "closed at once, so that nothing that was on its way can be taken for a command; please try again."
        ).format(host=host, answer=said(words).rstrip(".") or "-"),
        words=_text(words),
    )


def lost(host: str, cause: BaseException | bytes | None = None) -> ConnectionLost:
    """The connection ended: by an OSError, by the server's BYE (its words, as bytes), or without a word."""
    if isinstance(cause, bytes):
        sentence = _("The server {host} ended the connection: {answer}").format(host=host, answer=said(cause))
    elif isinstance(cause, TimeoutError):
        sentence = _("The server {host} has stopped answering.").format(host=host)
    else:
        sentence = _("The connection to {host} was cut.").format(host=host)
    return ConnectionLost(sentence, words=_text(cause) if isinstance(cause, bytes) else "")


def unreachable(login: Login, cause: Exception) -> ServerError:
    """What kept us from getting as far as the server's greeting, or from getting behind it."""
    if isinstance(cause, ssl.SSLError):
        return tls_failure(login, cause)
    where = {"host": login.host, "port": login.port}
    if isinstance(cause, socket.gaierror | UnicodeError):
        sentence = _("No server called {host} is known. Is the name right, and is this PC online?")
    elif isinstance(cause, ConnectionRefusedError):
        sentence = _("{host} takes no connections on port {port}. Is the port right?")
    elif isinstance(cause, TimeoutError):
        sentence = _("{host} does not answer on port {port}. Is the port right, and does a firewall let us out?")
    elif isinstance(cause, OverflowError):
        sentence = _("{port} is no port.")
    elif isinstance(cause, OSError) and cause.strerror and not isinstance(cause, ConnectionError):
        sentence = _("{host} cannot be reached on port {port}: {reason}.")
        where["reason"] = said(cause.strerror)
    else:
        sentence = _("{host} took the connection on port {port} and cut it again. Is the port right?")
    return ConnectFailed(sentence.format(**where))


def not_imap(login: Login, words: bytes | str) -> ConnectFailed:
    """The other end speaks, but not IMAP."""
    answer = said(words)
    sentence = _("What answers on {host} port {port} is no IMAP server. Is the port right?")
    if answer:
        sentence = _("What answers on {host} port {port} is no IMAP server. Is the port right? It says: {answer}")
    return ConnectFailed(sentence.format(host=login.host, port=login.port, answer=answer))


def turned_away(login: Login, words: bytes) -> ConnectFailed:
    """BYE instead of a greeting, or before the login was through."""
    text = without_secret(_text(words), login)
    return ConnectFailed(
        _("The server {host} turned us away: {answer}. Please try again later.").format(
            host=login.host, answer=said(text).rstrip(".") or "-"
        ),
        words=text,
    )


def tls_failure(login: Login, cause: ssl.SSLError) -> TlsFailed:
    """Why no TLS connection came about. The password has not been sent."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TlsFailed(_certificate_sentence(login, cause))
    reason = (cause.reason or "").upper()
    if any(name in reason for name in _NO_TLS):
        sentence = _(
            "{host} does not speak TLS on port {port}. Port 993 is the usual one for imaps://; for a server "
            "that only has STARTTLS write imap:// (usually port 143). Nothing was sent."
        )
    elif any(name in reason for name in _OLD_TLS):
        sentence = _(
            "{host} only offers versions of TLS older than 1.2, which no longer protect a password. Nothing was sent."
        )
    else:
        sentence = _("No TLS connection to {host} port {port} came about ({reason}). Nothing was sent.")
    return TlsFailed(
        sentence.format(host=login.host, port=login.port, reason=said(cause.reason or str(cause.args[-1:] or "")))
    )


def _certificate_sentence(login: Login, cause: ssl.SSLCertVerificationError) -> str:
    code, words = cause.verify_code, {"host": login.host, "reason": said(cause.verify_message)}
    if code in _OTHER_NAME:
        return _(
            "The certificate of {host} is for another name ({reason}). Give the name that the certificate has; "
            "the password was not sent."
        ).format(**words)
    if code == _EXPIRED:
        return _(
            "The certificate of {host} has expired; the password was not sent. Its administrator has to renew it."
        ).format(**words)
    if code == _NOT_YET_VALID:
        return _(
            "The certificate of {host} is not valid yet; the password was not sent. Is this PC's clock right?"
        ).format(**words)
    if code in _NOT_TRUSTED:
        return _(
            "The certificate of {host} is not trusted ({reason}); the password was not sent. If the server has a "
            "private certificate authority, give its certificate with --ca-file."
        ).format(**words)
    return _("The certificate of {host} was not accepted ({reason}); the password was not sent.").format(**words)


def plain_refused(login: Login) -> TlsFailed:
    """A connection without TLS to another machine was asked for."""
    return TlsFailed(
        _(
            "A connection to {host} without TLS would show the password and the mail to everyone on the way. Use "
            "imaps://, or imap:// with STARTTLS; without TLS only this very machine is talked to."
        ).format(host=login.host)
    )


def no_starttls(login: Login, words: bytes) -> TlsFailed:
    """STARTTLS was not offered (`words` empty) or refused; there is no going on without it."""
    sentence = _(
        "The server {host} does not offer STARTTLS on port {port}, so nothing was sent: try imaps:// (usually "
        "port 993)."
    )
    if words:
        sentence = _("The server {host} offers STARTTLS on port {port} but refuses it ({answer}), so nothing was sent.")
    return TlsFailed(sentence.format(host=login.host, port=login.port, answer=said(words)))


def login_refused(login: Login, words: str) -> LoginRefused:
    """The server's NO or BAD to LOGIN or AUTHENTICATE."""
    words = without_secret(words, login)
    code, answer = response_code(words), said(_CODE.sub("", words, count=1))
    if code in _NOT_THE_PASSWORD:
        sentence = _("The server {host} does not let {user} in now: {answer}")
    else:
        sentence = _("The server {host} refused the login of {user}: wrong user name or password? It says: {answer}")
    return LoginRefused(sentence.format(host=login.host, user=sanitise(login.user), answer=answer or "-"), code, words)


def without_secret(words: str, login: Login) -> str:
    """`words` with the password blotted out, for servers that echo what they were sent."""
    if not login.password:
        return words
    plain = f"\0{login.user}\0{login.password}".encode()
    for secret in (b64encode(plain).decode(), login.password):
        words = words.replace(secret, "***")
    return words
