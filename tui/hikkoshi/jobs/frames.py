"""The frames that a parent and its child processes exchange (see `hikkoshi.jobs.children`)."""

import struct

import msgspec

_HEAD = struct.Struct(">IB")

RESULT, DONE, FAILED = b"R", b"D", b"F"


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """An error in a child: its class's name (`OSError` for all of those), its text, and errno."""

    name: str
    text: str
    number: int = 0


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """A frame as it goes over the pipe."""
    return _HEAD.pack(len(content), kind[0]) + content


class FrameReader:
    """Takes the bytes of a pipe as they come, and gives the frames that are whole."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        del self._data[: self._at]
        self._at = 0
        self._data += data

    def next(self) -> tuple[bytes, bytes] | None:
        """(kind, content) of the next frame, None until it is whole."""
        if len(self._data) - self._at < _HEAD.size:
            return None
        length, kind = _HEAD.unpack_from(self._data, self._at)
        start = self._at + _HEAD.size
        if len(self._data) < start + length:
            return None
        self._at = start + length
        return bytes((kind,)), bytes(self._data[start : self._at])
