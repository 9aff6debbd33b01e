"""COMPRESS=DEFLATE (RFC 4978)."""

import socket
import zlib

_RAW = -zlib.MAX_WBITS  # RFC 4978 section 3: raw deflate, without zlib's header


class Deflated:
    """A socket whose both directions are deflated; TLS, where there is any, is below it.

    One `recv` gives no more bytes than it is asked for, however many a hostile server has packed into them: what is
    left waits in packed form, so that the limits of the reader hold.
    """

    def __init__(self, inner: socket.socket, received: bytes) -> None:
        """`received`: deflated bytes that were read with the answer to COMPRESS."""
        self._inner = inner
        self._packed = received
        self._deflate = zlib.compressobj(wbits=_RAW)
        self._inflate = zlib.decompressobj(_RAW)

    @property
    def waiting(self) -> bool:
        """Whether something can be received that the socket itself has already given."""
        return bool(self._packed)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end. Raises what the socket raises, and zlib.error for what is not deflated."""
        while True:
            if not self._packed:
                self._packed = self._inner.recv(size)
                if not self._packed:
                    return b""
            found = self._inflate.decompress(self._packed, size)
            self._packed = self._inflate.unconsumed_tail
            if self._inflate.eof:
                raise zlib.error("the stream has ended")
            if found:
                return found

    def send(self, data: bytes | memoryview) -> int:
        """Send all of `data`, so that the server can read it at once; how many bytes that were."""
        self._inner.sendall(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        return len(data)

    def gettimeout(self) -> float | None:
        """Seconds."""
        return self._inner.gettimeout()

    def settimeout(self, seconds: float | None) -> None:
        """Seconds that a wait may take."""
        self._inner.settimeout(seconds)

    def fileno(self) -> int:
        """For select."""
        return self._inner.fileno()
