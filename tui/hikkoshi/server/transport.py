"""imaplib over a socket of ours: verified TLS, limits on what comes in, and no memory for secrets."""

import imaplib
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

from hikkoshi.errors import TlsFailed
from hikkoshi.i18n import _
from hikkoshi.server import failures
from hikkoshi.server.lexer import MAX_LINE, MAX_RESPONSE, malformed
from hikkoshi.server.login import Login, is_loopback

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CHUNK = 1 << 16
_MAX_ANSWER = 64 << 20
"""Bytes that a server may answer to one small command; a LIST of 100,000 folders has some 10 MB."""

_GOODBYE_SECONDS = 2.0


class GuardedIMAP4(imaplib.IMAP4):
    """imaplib's conversation over a socket of ours: verified TLS, no Nagle, and limits on what comes in.

    imaplib alone trusts a server's word on how much to read, and keeps the last commands, LOGIN among them.
    `received`: bytes from the server that have not been read yet.
    """

    def __init__(self, login: Login, context: ssl.SSLContext | None) -> None:
        self.login_record = login
        self.received = bytearray()
        self._context = context
        self._allowed = _MAX_ANSWER
        super().__init__(login.host, login.port, login.timeout)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect; the handshake follows at once where TLS is implied."""
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), timeout)
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.login_record.security == "tls":
                self._wrap()
            elif self.login_record.security == "plain" and not is_loopback(self.sock.getpeername()[0]):
                raise failures.plain_refused(self.login_record)
        except BaseException:
            self.sock.close()
            raise

    def _wrap(self) -> None:
        assert self._context is not None
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def upgrade(self) -> None:
        """STARTTLS (RFC 3501 section 6.2.1). What was said before it is forgotten; what came too early ends it."""
        try:
            typ, data = self._simple_command("STARTTLS")
        except self.abort:
            raise
        except self.error as error:
            raise failures.no_starttls(self.login_record, str(error).encode()) from None
        if typ != "OK":
            raise failures.no_starttls(self.login_record, data[-1])
        if self.received:
            # Someone on the way speaks before the lock is turned, hoping to be taken for the server afterwards.
            raise TlsFailed(
                _(
                    "Something was slipped in before TLS began; the connection to {host} was closed, nothing was sent."
                ).format(host=self.host)
            )
        self._wrap()
        self._tls_established = True
        self.untagged_responses.clear()
        self._get_capabilities()

    def authenticate_plain(self, user: str, password: str) -> None:
        """AUTHENTICATE PLAIN (RFC 4616), in one round trip where the server takes an initial response (RFC 4959).

        Raises imaplib's error for every answer but OK.
        """
        secret = f"\0{user}\0{password}".encode()
        self.untagged_responses.clear()
        if "SASL-IR" not in self.capabilities:
            self.authenticate("PLAIN", lambda _challenge: secret)
            return
        typ, data = self._simple_command("AUTHENTICATE", "PLAIN", b64encode(secret).decode("ascii"))
        if typ != "OK":
            raise self.error(data[-1].decode("utf-8", "replace"))
        self.state = "AUTH"

    def renew_capabilities(self) -> None:
        """Take what the last answer, a greeting or the OK of a login, said in a response code; ask where it did not."""
        self._get_capabilities()

    def _get_capabilities(self) -> None:
        said = self.untagged_responses.pop("CAPABILITY", [None])[-1]
        if not isinstance(said, bytes) or not said.strip():
            said = self.capability()[1][-1]
        if not isinstance(said, bytes):
            raise self.error("no CAPABILITY response from server")
        self.capabilities = tuple(said.decode("ascii", "replace").upper().split())

    def _fill(self) -> None:
        data = self.sock.recv(_CHUNK)
        if not data:
            raise failures.lost(self.host)
        self._allowed -= len(data)
        if self._allowed < 0:
            raise malformed(bytes(self.received[:100]))
        self.received += data

    def read(self, size: int) -> bytes:
        """The `size` bytes of a literal."""
        if size > MAX_RESPONSE:
            raise malformed(b"{%d}" % size)
        while len(self.received) < size:
            self._fill()
        return self._take(size)

    def readline(self) -> bytes:
        """One line with its line end."""
        searched = 0
        while (end := self.received.find(b"\n", searched)) < 0:
            searched = len(self.received)
            if searched > MAX_LINE:
                raise malformed(bytes(self.received[:100]))
            self._fill()
        return self._take(end + 1)

    def _take(self, size: int) -> bytes:
        data = bytes(self.received[:size])
        del self.received[:size]
        return data

    def send(self, data: "ReadableBuffer") -> None:
        """Send all of `data`; a new answer may be as long as any."""
        self._allowed = _MAX_ANSWER
        self.sock.sendall(data)

    def farewell(self) -> bytes | None:
        """The words of the server's BYE, None if it has said none."""
        last = self.untagged_responses.get("BYE", [None])[-1]
        return last if isinstance(last, bytes) else None

    def say_goodbye(self) -> None:
        """LOGOUT, and close; the answer is of no interest to anyone."""
        with suppress(OSError):
            self.sock.settimeout(_GOODBYE_SECONDS)
            self.sock.sendall(b"bye LOGOUT\r\n")
        self.shutdown()

    def shutdown(self) -> None:
        """Close the socket."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end was quicker
        finally:
            self.sock.close()

    def _log(self, line: str) -> None:
        """Keep no record of commands: one of them holds the password."""
