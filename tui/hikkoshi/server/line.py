"""How fast a line is, and whether it is slow enough for compressing to be worth its work: measured, not guessed.

Compressing doubles a server's time for a listing: it is a gain below some 50 Mbit/s, and a loss above.
"""

import socket
import struct
import sys
from collections import deque

import msgspec

SLOW = 50e6 / 8
"""Bytes a second below which a line counts as slow."""
_BURST = 128 * 1024
_ENOUGH = 384 * 1024
"""Bytes after which the rate is believed; TCP starts slowly."""
_SAVED = 0.6  # of a listing's bytes, header fields being mostly text that comes again
_SAVED_UP = 0.25
"""Of mails' bytes: base64, which most of them are, has 6 bits in 8. Measured with a corpus of 20 MB: 0.31."""
_STARTING = 3
"""Round trips at the rate SLOW until slow start has come so far for certain: it doubles with each, so that half of all
went in the last one."""
_HELD = 0.1
"""Part of the time for which a server's window may have been shut on a line that counts as slow: it was open mostly."""
_ROUND_TRIPS = 4
"""What asking for compression costs: what is on its way is waited for, then the answer."""

_TCP_INFO = struct.Struct("=7xB112xQ16xII8xQQQ")
"""struct tcp_info of Linux 4.10 and later (linux/tcp.h): the bits of delivery_rate_app_limited, then bytes_acked,
notsent_bytes, min_rtt (us), delivery_rate, busy_time, rwnd_limited (us)."""


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
        if not self.known or self._peak >= SLOW:
            return False
        return remaining * _SAVED / self._peak > _ROUND_TRIPS * self.round_trip


class Sending(msgspec.Struct, frozen=True):
    """What the kernel knows of the sending side of a connection. Bytes, seconds, bytes a second.

    `idle`: the rate was limited by what there was to send; `held`: part of the time for which the receiver's window
    let nothing more go, that is for which the server was the slower one.
    """

    acked: int
    waiting: int
    round_trip: float
    rate: int
    idle: bool
    held: float


def sending(line: socket.socket) -> Sending | None:
    """The connection's state now, None where the kernel does not tell."""
    if sys.platform != "linux":
        return None
    told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 2 * _TCP_INFO.size)
    if len(told) < _TCP_INFO.size:
        return None
    idle, acked, waiting, round_trip, rate, busy, held = _TCP_INFO.unpack_from(told)
    return Sending(acked, waiting, round_trip / 1e6, rate, bool(idle & 1), held / max(busy, 1))


class UplinkMeter:
    """Learns how fast the line takes what is sent."""

    def __init__(self) -> None:
        self._peak = 0

    def worth(self, now: Sending, remaining: int) -> bool:
        """Whether compressing the `remaining` bytes of mail gains more than asking for it costs."""
        self._peak = max(self._peak, now.rate)
        enough = max(_ENOUGH, _STARTING * SLOW * now.round_trip)
        if now.acked < enough or not now.waiting or now.idle or now.held > _HELD or not 0 < self._peak < SLOW:
            return False
        return remaining * _SAVED_UP / self._peak > _ROUND_TRIPS * now.round_trip
