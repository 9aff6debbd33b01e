"""A connection whose both directions are deflated (RFC 4978): raw DEFLATE, flushed behind each answer."""

import asyncio
import zlib

_RAW = -15  # window bits; negative: without zlib's header and sum (RFC 1951)
_CHUNK = 16 * 1024


class Deflated:
    """`reader` gives what the client said; `deflate` makes what is to be sent. `limit`: of a line, in bytes."""

    def __init__(self, reader: asyncio.StreamReader, limit: int) -> None:
        self.reader = asyncio.StreamReader(limit)
        self._deflate = zlib.compressobj(wbits=_RAW)
        self._task = asyncio.get_running_loop().create_task(self._inflate(reader))

    def deflate(self, data: bytes) -> bytes:
        """`data` so that the client can read all of it at once."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def close(self) -> None:
        """Read no more."""
        self._task.cancel()

    async def _inflate(self, source: asyncio.StreamReader) -> None:
        """Until the client leaves, or says what is no DEFLATE, which ends the conversation likewise."""
        inflate = zlib.decompressobj(wbits=_RAW)
        try:
            while data := await source.read(_CHUNK):
                self.reader.feed_data(inflate.decompress(data))
        except (zlib.error, ConnectionError):
            pass
        self.reader.feed_eof()
