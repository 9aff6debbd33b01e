from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from random import Random

import pytest

from hikkoshi.demo.letters import STYLES_JA, Letter, compose, make_file
from hikkoshi.demo.texts import OWNER, Person
from hikkoshi.mail.headers import decode, field, header_block

LETTER = Letter(
    sender=Person("佐藤（北斗商会）", "sato@hokuto.example.jp", "ja"),
    to=OWNER,
    subject="【お見積り】万年筆用インク 200個の件（見積番号 M-1）でございます",
    body="いつもお世話になっております。\n\nFrom の行もあります。\n",
    when=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
    style="utf-8 base64",
    message_id="1@example.jp",
    received=True,
)


@pytest.mark.parametrize("style", sorted(set(STYLES_JA)))
def test_subject_and_body_read_back_in_every_style(style: str) -> None:
    mail = compose(replace(LETTER, style=style))
    header = header_block(mail)

    assert decode(field(header, b"subject") or b"") == LETTER.subject
    assert decode(field(header, b"from") or b"") == "佐藤（北斗商会） <sato@hokuto.example.jp>"
    body = message_from_bytes(mail, policy=policy.default).get_content()
    assert body.replace("\r\n", "\n").rstrip("\n") == LETTER.body.rstrip("\n")


def test_header_lines_are_short_where_they_are_encoded() -> None:
    for style in ("iso-2022-jp", "shift_jis", "utf-8 base64"):
        header = header_block(compose(replace(LETTER, style=style)))
        assert max(map(len, header.splitlines())) <= 90
        assert max(len(word) for line in header.splitlines() for word in line.split()) <= 75


def test_attachments_keep_name_and_bytes() -> None:
    file = make_file("見積書_M-1.pdf", 5000, Random(1))
    parsed = message_from_bytes(compose(replace(LETTER, attachments=(file,))), policy=policy.default)
    (part,) = parsed.iter_attachments()

    assert part.get_content() == file.content
    assert part.get_content_type() == "application/pdf"
    assert decode(part.get_filename().encode()) == file.name


def test_a_letter_may_lack_a_message_id_and_trace_fields() -> None:
    mail = compose(replace(LETTER, message_id="", received=False))

    assert field(header_block(mail), b"message-id") is None
    assert field(header_block(mail), b"received") is None
