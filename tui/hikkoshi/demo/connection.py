"""The bytes of one connection: lines and literals in (RFC 3501 section 7.5, RFC 7888), responses out."""

import asyncio
import base64
import binascii
from dataclasses import dataclass

from hikkoshi.demo.deflate import Deflated
from hikkoshi.demo.faults import Cut, Faults
from hikkoshi.demo.parser import LITERAL_END, Literal, tag_of
from hikkoshi.demo.session import Session
from hikkoshi.demo.state import State

LINE_LIMIT = 64 * 1024
"""Bytes of the longest line taken, as on Dovecot."""

_CHUNK = 16 * 1024
_STEPS = 20  # pauses a second while a rate is kept: often enough for a smooth gauge


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow the line seems: `latency` seconds before each answer, `rate` bytes a second for literals, None: fast."""

    latency: float = 0.0
    rate: float | None = None


class Connection:
    """Reads commands, has the session carry them out, and sends what comes of it, until the client leaves."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: State, faults: Faults, pace: Pace
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._state = state
        self._faults = faults
        self._pace = pace
        self._session = Session(state, faults)
        self._deflated: Deflated | None = None

    async def serve(self) -> None:
        """The whole conversation; the client's leaving, at whatever point, is no error."""
        try:
            await self._send(self._session.greeting())
            while not self._state.leaving:
                await self._command()
        except (asyncio.IncompleteReadError, ConnectionError, Cut):
            pass
        finally:
            if self._deflated:
                self._deflated.close()
            self._writer.close()

    async def _command(self) -> None:
        """Read one command with its literals and answer it."""
        texts: list[bytes] = []
        literals: list[Literal] = []
        refusal: str | None = None
        while True:
            line = await self._line()
            if line is None:
                refusal, line = refusal or "BAD Too long argument", b""
            announced = LITERAL_END.search(line)
            texts.append(line[: announced.start()] if announced else line)
            if not announced:
                break
            size, waits = int(announced[1]), not announced[2]
            refusal = refusal or self._session.announced(texts, literals, size)
            if refusal and waits:
                break  # the client has not sent the literal and will not
            if waits:
                await self._send(b"+ OK\r\n")
            # What a client sends unasked is read to its end even if it is not wanted: it is mail, not commands.
            literals.append(await self._literal(size, keep=refusal is None, append=b"APPEND" in texts[0][:80].upper()))
        await self._carry_out(texts, literals, refusal)

    async def _carry_out(self, texts: list[bytes], literals: list[Literal], refusal: str | None) -> None:
        words = texts[0].split(b" ", 2)
        if refusal:
            self._session.answer(tag_of(texts[0]), refusal)
        elif len(words) > 1 and words[1].upper() == b"AUTHENTICATE" and not self._state.logged_in:
            await self._authenticate(words)
        else:
            self._session.run(texts, literals)
            if self._faults.silent_append and words[1:2] and words[1].upper() == b"APPEND":
                self._faults.silent_append -= 1
                self._state.out.clear()
        if self._pace.latency:
            await asyncio.sleep(self._pace.latency)
        out, self._state.out = b"".join(self._state.out), []
        await self._send(out)
        if self._state.compressed and self._deflated is None:
            self._deflated = Deflated(self._reader, LINE_LIMIT)
            self._reader = self._deflated.reader

    async def _authenticate(self, words: list[bytes]) -> None:
        """AUTHENTICATE PLAIN (RFC 4616), with the response at once (RFC 4959) or asked for."""
        tag = tag_of(words[0] + b" ")
        mechanism, _, initial = words[2].partition(b" ") if len(words) > 2 else (b"", b"", b"")
        if mechanism.upper() != b"PLAIN":
            self._session.answer(tag, "NO [CANNOT] Unsupported authentication mechanism.")
            return
        if not initial:
            await self._send(b"+ \r\n")
            initial = await self._line() or b"*"
        try:
            _, user, password = base64.b64decode(initial, validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            self._session.answer(tag, "BAD Invalid credentials")
            return
        self._session.answer(tag, self._session.log_in(user, password))

    async def _line(self) -> bytes | None:
        """The next line without its end; None for one that is too long, which is read and dropped."""
        too_long = False
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as overrun:
                await self._reader.readexactly(max(overrun.consumed, 1))
                too_long = True
                continue
            return None if too_long else line.removesuffix(b"\n").removesuffix(b"\r")

    async def _literal(self, size: int, *, keep: bool, append: bool) -> Literal:
        """`size` bytes; nothing where they are not to be kept."""
        cut = self._faults.cut_append_after if append else None
        rate = self._pace.rate
        step = max(1, min(_CHUNK, int(rate / _STEPS))) if rate else _CHUNK
        kept: list[bytes] = []
        read = 0
        while read < size:
            chunk = await self._reader.readexactly(min(step, size - read))
            read += len(chunk)
            if cut is not None and read >= cut:
                self._faults.cut_append_after = None
                raise Cut
            if keep:
                kept.append(chunk)
            if rate:
                await asyncio.sleep(len(chunk) / rate)
        if cut is not None:
            self._faults.cut_append_after = cut - size
        return Literal(b"".join(kept))

    async def _send(self, data: bytes) -> None:
        if self._deflated:
            data = self._deflated.deflate(data)
        left = self._faults.cut_output_after
        if left is not None:
            self._faults.cut_output_after = left - len(data) if left >= len(data) else None
            self._writer.write(data[:left])
            await self._writer.drain()
            if left < len(data):
                raise Cut
            return
        self._writer.write(data)
        await self._writer.drain()
