"""Mail as the mailers of the last twenty years write it: charsets, header words, attachments. LF line ends."""

import base64
import quopri
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random

from hikkoshi.demo.texts import Person

STYLES_JA = (
    "iso-2022-jp", "iso-2022-jp", "utf-8 base64", "utf-8 quoted-printable", "shift_jis", "utf-8 8bit",
    "raw iso-2022-jp", "raw shift_jis", "raw utf-8",
)  # fmt: skip
"""How Japanese text is written: its charset, and 'raw' where header fields are not encoded as RFC 2047 asks."""

STYLES_EN = ("us-ascii", "us-ascii", "utf-8 quoted-printable")

_WORD = 14  # characters in an encoded word: at most 75 columns in each charset (RFC 2047 section 2)
_PIXEL = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: its name and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written. `message_id` without brackets, '' for none; `received`: with trace fields on top."""

    sender: Person
    to: Person
    subject: str
    body: str
    when: datetime
    style: str
    message_id: str
    received: bool
    in_reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()


def compose(letter: Letter) -> bytes:
    """The whole mail, line ends LF."""
    header = b"\n".join(_header(letter)) + b"\n"
    if not letter.attachments:
        return header + _text_part(letter)
    boundary = b"=_part_" + letter.when.strftime("%Y%m%d%H%M%S").encode()
    parts = [_text_part(letter), *(_file_part(attachment, letter.style) for attachment in letter.attachments)]
    body = b"".join(b"--" + boundary + b"\n" + part + b"\n" for part in parts)
    return header + b'Content-Type: multipart/mixed; boundary="%s"\n\n' % boundary + body + b"--" + boundary + b"--\n"


def make_file(name: str, size: int, rng: Random) -> Attachment:
    """A file of about `size` bytes that begins as files with such a name do."""
    if name.endswith(".csv"):
        rows = ["品番,品名,数量"] + [f"A-{rng.randrange(1000, 9999)},見本,{rng.randrange(1, 500)}" for _ in range(40)]
        return Attachment(name, "\r\n".join(rows).encode("cp932"))
    if name.endswith(".txt"):
        return Attachment(name, "議事録\r\n\r\n一、報告\r\n二、予定\r\n".encode("cp932") * 20)
    start = _PIXEL if name.endswith(".png") else b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    return Attachment(name, start + rng.randbytes(size))


def _header(letter: Letter) -> Iterator[bytes]:
    date = format_datetime(letter.when).encode()
    if letter.received:
        arrived = format_datetime(letter.when + timedelta(seconds=7)).encode()
        yield b"Return-Path: <%s>" % letter.sender.address.encode()
        yield b"Received: from mx.example.jp (mx.example.jp [192.0.2.25])"
        yield b"\tby mail.example.co.jp with ESMTP for <%s>;" % letter.to.address.encode()
        yield b"\t" + arrived
    yield b"Date: " + date
    yield b"From: " + _mailbox(letter.sender, letter.style)
    yield b"To: " + _mailbox(letter.to, letter.style)
    yield b"Subject: " + _words(letter.subject, letter.style)
    if letter.message_id:
        yield b"Message-ID: <%s>" % letter.message_id.encode()
    if letter.in_reply_to:
        yield b"In-Reply-To: <%s>" % letter.in_reply_to.encode()
    yield b"MIME-Version: 1.0"


def _charset(style: str) -> str:
    return style.removeprefix("raw ").split()[0]


def _mailbox(person: Person, style: str) -> bytes:
    name = b'"%s"' % person.name.encode() if person.name.isascii() else _words(person.name, style)
    return name + b" <%s>" % person.address.encode()


def _words(text: str, style: str) -> bytes:
    """A field's text: ASCII as it is, else in encoded words (RFC 2047), unless the style says raw."""
    if text.isascii():
        return text.encode()
    charset = _charset(style)
    if charset == "us-ascii":
        charset = "utf-8"
    if style.startswith("raw "):
        return text.encode(charset)
    pieces = [text[at : at + _WORD] for at in range(0, len(text), _WORD)]
    words = [base64.b64encode(piece.encode(charset)) for piece in pieces]
    return b"\n ".join(b"=?%s?B?%s?=" % (charset.encode(), word) for word in words)


def _text_part(letter: Letter) -> bytes:
    """Content fields, blank line and text."""
    charset = _charset(letter.style)
    if not letter.body.isascii() and charset == "us-ascii":
        charset = "utf-8"
    content = letter.body.encode(charset)
    if letter.style.endswith("base64"):
        encoding, content = b"base64", base64.encodebytes(content)
    elif letter.style.endswith("quoted-printable"):
        encoding, content = b"quoted-printable", quopri.encodestring(content)
    else:
        encoding = b"7bit" if content.isascii() else b"8bit"
    fields = b"Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: %s\n\n" % (charset.encode(), encoding)
    return fields + content


def _file_part(attachment: Attachment, style: str) -> bytes:
    kind = {
        ".pdf": b"application/pdf",
        ".png": b"image/png",
        ".csv": b"text/csv; charset=shift_jis",
        ".txt": b"text/plain; charset=shift_jis",
    }[attachment.name[attachment.name.rindex(".") :]]
    name = b'"' + _words(attachment.name, style) + b'"'
    return (
        b"Content-Type: %s;\n name=%s\n" % (kind, name)
        + b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment;\n filename=%s\n\n" % name
        + base64.encodebytes(attachment.content)
    )
