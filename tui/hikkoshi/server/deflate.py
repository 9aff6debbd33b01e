"""COMPRESS=DEFLATE (RFC 4978), and whether the line is slow enough for it to be worth its work.

Compressing doubles a server's time for a listing: it is a gain below some 50 Mbit/s, and a loss above.
"""

import socket
import zlib
from collections import deque

_RAW = -zlib.MAX_WBITS  # RFC 4978 section 3: raw deflate, without zlib's header
_SLOW = 50e6 / 8
"""Bytes a second below which a line counts as slow."""
_BURST = 128 * 1024
_ENOUGH = 384 * 1024
"""Bytes after which the rate is believed; TCP starts slowly."""
_SAVED = 0.6  # of a listing's bytes, header fields being mostly text that comes again


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


class LineMeter:
    """Learns from what arrives how fast the line is: its fastest stretch counts, since a server may be slow, too.

    `round_trip`: seconds, the shortest wait for an answer; 0 before the first.
    """

    def __init__(self) -> None:
        self.round_trip = 0.0
        self._total = 0
        self._stretch = 0
        self._arrivals: deque[tuple[float, int]] = deque()
        self._peak = 0.0
        self._asked: float | None = None

    def asked(self, now: float) -> None:
        """A command has gone out. `now`: seconds, monotonic."""
        self._asked = self._asked or now

    def heard(self, size: int, now: float) -> None:
        """So many bytes have come."""
        if self._asked is not None:
            waited = now - self._asked
            self.round_trip = min(self.round_trip, waited) if self.round_trip else waited
            self._asked = None
        self._total += size
        self._stretch += size
        self._arrivals.append((now, size))
        while self._stretch - self._arrivals[0][1] >= _BURST:
            begin, first = self._arrivals.popleft()
            self._stretch -= first
            # What came with the first arrival was under way before the stretch began.
            self._peak = max(self._peak, self._stretch / max(now - begin, 1e-6))

    @property
    def known(self) -> bool:
        """Whether enough has come to tell."""
        return self._total >= _ENOUGH and self._peak > 0

    def worth(self, remaining: int) -> bool:
        """Whether compressing the `remaining` bytes gains more than asking for it costs."""
        if not self.known or self._peak >= _SLOW:
            return False
        return remaining * _SAVED / self._peak > 4 * self.round_trip
