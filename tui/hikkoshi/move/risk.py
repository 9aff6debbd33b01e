"""Whether servers are known to change a mail with such bytes: it is read back whole then."""

from hikkoshi.mail.headers import header_end

# RFC 5322 section 2.1.1: lines of at most 998 bytes; servers refuse or fold longer ones. With its CR that is 999.
_LONG = 1000


class Risk:
    """Looks at a mail in upload form, piece by piece. The first piece holds its whole header.

    Servers change 8-bit headers (Cyrus: X), NUL (Dovecot: 0x80), bare CR or LF, and long lines.
    """

    def __init__(self) -> None:
        self.found = False
        self._first = True
        self._line = 0  # bytes since the last line end
        self._last = b""

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        if self._first:
            self._first = False
            header = piece[: header_end(piece)]
            self.found = not header.isascii()
        if not self.found and piece:
            self.found = b"\0" in piece or self._has_bare(piece) or self._has_long_line(piece)
            self._last = piece[-1:]

    def end(self) -> bool:
        """Whether the mail is at risk, once all of it was taken."""
        return self.found or self._last == b"\r"

    def _has_bare(self, piece: bytes) -> bool:
        """A CR without LF or an LF without CR, but for a CR at the piece's end."""
        pairs = piece.count(b"\r\n")
        returns, feeds = piece.count(b"\r"), piece.count(b"\n")
        if self._last == b"\r":
            if not piece.startswith(b"\n"):
                return True
            feeds -= 1
        if piece.endswith(b"\r"):
            returns -= 1
        return returns != pairs or feeds != pairs

    def _has_long_line(self, piece: bytes) -> bool:
        """By leaps of a thousand bytes: a pattern takes 70 times as long."""
        first = piece.find(b"\n")
        if first < 0:
            self._line += len(piece)
            return self._line >= _LONG
        if self._line + first >= _LONG:
            return True
        at = first + 1
        while at + _LONG <= len(piece):
            end = piece.rfind(b"\n", at, at + _LONG)
            if end < 0:
                return True
            at = end + 1
        self._line = len(piece) - piece.rfind(b"\n") - 1
        return False
