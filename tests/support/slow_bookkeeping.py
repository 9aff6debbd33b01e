"""The upload form of a mail, line by line and byte by byte: what hikkoshi.mail.bookkeeping has to agree with."""

OWN = {
    b"x-mozilla-status", b"x-mozilla-status2", b"x-mozilla-keys", b"x-account-key", b"x-uidl", b"status", b"x-status",
    b"x-keywords", b"x-uid", b"x-imap", b"x-imapbase",
}  # fmt: skip


def upload_form(stored: bytes, *, mbox: bool) -> bytes:
    """Headers that a client wrote for itself dropped with their folded lines; each LF that lacks its CR given one."""
    own = OWN | {b"content-length"} if mbox else OWN
    kept: list[bytes] = []
    in_header, dropping = True, False
    for line in _lines(stored):
        if in_header and line in (b"\n", b"\r\n"):
            in_header = False
        if not in_header:
            kept.append(line)
        elif line[:1] in (b" ", b"\t") and dropping:
            continue
        else:
            name, colon, _value = line.partition(b":")
            dropping = bool(colon) and name.rstrip(b" \t").lower() in own
            if not dropping:
                kept.append(line)
    return b"".join(_crlf(line) for line in kept)


def _lines(text: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in text.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return [line for line in lines if line]


def _crlf(line: bytes) -> bytes:
    if line.endswith(b"\n") and not line.endswith(b"\r\n"):
        return line[:-1] + b"\r\n"
    return line
