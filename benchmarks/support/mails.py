"""Mails for the corpora, the same for the same seed: what an office's ten years of POP mail look like to a parser.

Several Received headers, Japanese subjects in RFC 2047, base64 attachments, quoted `From ` lines in bodies, some
without Message-ID, some that a mailing list sent with a long To. Stored form: LF line ends, no From_ line.
"""

import base64
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate

_FIRST = 1_262_304_000  # 2010-01-01
_TEN_YEARS = 10 * 365 * 86400
_LARGEST = 5 << 20
_PEOPLE = [
    ("Taro Yamada", "taro.yamada"), ("山田 太郎", "yamada"), ("佐藤 花子", "sato.hanako"), ("Support Desk", "support"),
    ("鈴木商店 経理部", "keiri"), ("Newsletter", "news"), ("高橋", "takahashi"), ("Mary O'Neill", "mary"),
]  # fmt: skip
_HOUSES = ["example.co.jp", "example.com", "mail.example.net", "lists.example.org", "office.example.jp"]
_SUBJECTS = [
    "Re: 打ち合わせの日程について", "見積書の送付", "【重要】システムメンテナンスのお知らせ", "Re: Re: invoice 2016-04",
    "ご請求書(4月分)", "Weekly report", "Fwd: 引っ越しのご案内", "Meeting minutes", "お世話になっております",
    "Order confirmation No. 20481", "年末年始休業のお知らせ", "photos from the trip",
]  # fmt: skip
_WORDS = [
    "please", "find", "the", "attached", "file", "for", "our", "meeting", "next", "week", "and", "let", "us", "know",
    "whether", "date", "is", "fine", "with", "you", "regards", "office", "order", "invoice", "number", "delivery",
    "address", "street", "we", "have", "received", "your", "request", "thank",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in stored form. `sent`: seconds since 1970 UTC; `seen`: whether it was read."""

    stored: bytes
    sent: int
    seen: bool

    @property
    def crlf_size(self) -> int:
        """Bytes with CRLF line ends."""
        return len(self.stored) + self.stored.count(b"\n")


def mails(count: int, *, median: int, tail: bool, seed: int) -> Iterator[Mail]:
    """`count` mails whose sizes have this median (bytes); with `tail` they reach up to 5 MiB.

    A log-normal spread of 1.05, and 2.8 % with attachments of 256 KiB or more, give about 1.2 GB for 20,000 mails
    of median 8 KB.
    """
    random_ = random.Random(seed)
    material = _Material(random_)
    for number in range(count):
        sent = _FIRST + number * _TEN_YEARS // max(count, 1) + random_.randrange(3600)
        stored = _mail(random_, material, number, seed, sent, _size(random_, median, tail=tail))
        yield Mail(stored, sent, random_.random() < 0.9)


def _size(random_: random.Random, median: int, *, tail: bool) -> int:
    if not tail:
        return max(600, round(random_.gauss(median, median / 8)))
    if random_.random() < 0.028:
        return round(math.exp(random_.uniform(math.log(256 << 10), math.log(_LARGEST))))
    return max(700, round(median * math.exp(random_.gauss(0, 1.05))))


class _Material:
    """Lines to cut bodies from: making each anew would take minutes."""

    def __init__(self, random_: random.Random) -> None:
        self.attachment = base64.encodebytes(random_.randbytes(_LARGEST * 3 // 4 + (64 << 10)))  # 76 letters a line
        lines = []
        for number in range(4000):
            words = " ".join(random_.choices(_WORDS, k=random_.randrange(4, 12)))
            if number % 40 == 7:
                lines.append(f"> {words}")
            elif number % 200 == 11:
                lines.append(f"From {words}")  # an mbox quotes it
            elif number % 200 == 13:
                lines.append(f">From {words}")
            elif number % 9 == 4:
                lines.append("")
            else:
                lines.append(words)
        self.text = "\n".join(lines).encode() + b"\n"

    def cut(self, random_: random.Random, text: bytes, size: int) -> bytes:
        """About `size` bytes of whole lines."""
        parts = []
        while size > 0:
            start = text.index(b"\n", random_.randrange(max(1, len(text) - size - 200))) + 1
            piece = text[start : start + size]
            end = piece.rfind(b"\n") + 1
            parts.append(piece[:end] if end else piece + b"\n")
            size -= max(len(parts[-1]), 1)
            if size < 80:
                break
        return b"".join(parts)


def _mail(random_: random.Random, material: _Material, number: int, seed: int, sent: int, size: int) -> bytes:
    header = _header(random_, number, seed, sent)
    rest = size - len(header)
    if rest > 40 << 10:
        boundary = b"=_%016x" % random_.getrandbits(64)
        return b"".join(
            [
                header, b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="', boundary, b'"\n\n--', boundary,
                b"\nContent-Type: text/plain; charset=utf-8\n\n", material.cut(random_, material.text, 900),
                b"\n--", boundary, b"\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n",
                material.cut(random_, material.attachment, rest - 1300), b"\n--", boundary, b"--\n",
            ]
        )  # fmt: skip
    kind = b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    return header + kind + material.cut(random_, material.text, max(rest - len(kind), 200))


def _header(random_: random.Random, number: int, seed: int, sent: int) -> bytes:
    date = formatdate(sent, localtime=False)
    house = random_.choice(_HOUSES)
    sender, receiver = random_.choice(_PEOPLE), random_.choice(_PEOPLE)
    lines = [f"Return-Path: <{sender[1]}@{house}>"]
    for hop in range(random_.choice((1, 2, 2, 3, 4))):
        lines += [
            f"Received: from mx{hop}.{house} (mx{hop}.{house} [192.0.2.{random_.randrange(256)}])",
            f"\tby mail{hop}.{random_.choice(_HOUSES)} (Postfix) with ESMTPS id {random_.getrandbits(40):010X}",
            f"\tfor <{receiver[1]}@office.example.jp>; {date}",
        ]
    lines.append(f"Date: {date}")
    lines.append(f"From: {_word(sender[0])} <{sender[1]}@{house}>")
    if random_.random() < 0.03:
        lines.append("To: " + ",\n ".join(f"member{n}@lists.example.org" for n in range(random_.randrange(5, 30))))
    else:
        lines.append(f"To: {_word(receiver[0])} <{receiver[1]}@office.example.jp>")
    lines.append(f"Subject: {_word(random_.choice(_SUBJECTS))}" + (f" #{number}" if random_.random() < 0.5 else ""))
    if random_.random() >= 0.01:
        lines.append(f"Message-ID: <{seed}.{number}.{random_.getrandbits(48):012x}@{house}>")
    if random_.random() < 0.4:
        lines.append(f"In-Reply-To: <{seed}.{max(0, number - 3)}.0@{house}>")
        lines.append(f"References: <{seed}.{max(0, number - 7)}.0@{house}>\n <{seed}.{max(0, number - 3)}.0@{house}>")
    lines.append(f"X-Mailer: {random_.choice(('Sylpheed 3.7', 'Microsoft Outlook 16.0', 'Becky! ver. 2.75'))}")
    return ("\n".join(lines) + "\n").encode()


def _word(text: str) -> str:
    if text.isascii():
        return text
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="
