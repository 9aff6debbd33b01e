from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.identity import HAS_ID, STRONG, CanonicalDigest, canonical_digest, identify, keys

FIELDS = (
    b"Date: Sat, 9 Mar 2024 21:30:05 +0900\r\nFrom: =?utf-8?q?taro?= <taro@example.jp>\r\n"
    b"To: jiro@example.jp\r\nSubject: one\r\n two\r\nMessage-ID: <A.b@example.jp>"
)


def test_the_message_id_keeps_its_case_and_loses_its_brackets() -> None:
    assert identify(FIELDS).message_id == b"A.b@example.jp"


@pytest.mark.parametrize(
    ("value", "message_id"),
    [
        (b"<a@b>", b"a@b"), (b"< a@b >", b"a@b"), (b"a@b", b"a@b"), (b"<a@b> <c@d>", b"a@b"), (b"(x) <a@b>", b"a@b"),
        (b"\r\n <a@b>", b"a@b"), (b"<>", None), (b"", None), (b"<\xe6@b>", b"X@b"),
    ],
)  # fmt: skip
def test_message_ids_as_they_are_written(value: bytes, message_id: bytes | None) -> None:
    assert identify(b"Message-ID: " + value).message_id == message_id


@pytest.mark.parametrize(
    "other",
    [
        FIELDS.replace(b"one\r\n two", b"one two"),
        FIELDS.replace(b"one\r\n two", b"one\r\n\t two"),
        FIELDS.replace(b"Date:", b"DATE :"),
        b"\r\n".join(reversed(FIELDS.replace(b"one\r\n two", b"one two").split(b"\r\n"))),
        FIELDS + b"\r\nSubject: a second one",
        FIELDS + b"\r\nX-Other: x",
    ],
)
def test_folding_blanks_order_and_other_fields_are_of_no_weight(other: bytes) -> None:
    assert identify(other) == identify(FIELDS)


def test_bytes_that_servers_change_are_of_no_weight() -> None:
    raw = FIELDS.replace(b"one", "件\0".encode())
    cyrus, dovecot = raw.replace("件\0".encode(), b"XXXX"), raw.replace(b"\0", b"\x80")
    assert identify(raw).digest == identify(cyrus).digest == identify(dovecot).digest


@pytest.mark.parametrize("name", [b"Date", b"From", b"To", b"Subject", b"Message-ID"])
def test_each_identity_field_is_of_weight(name: bytes) -> None:
    assert identify(FIELDS.replace(name + b": ", name + b": x")).digest != identify(FIELDS).digest


def test_values_do_not_run_into_each_other() -> None:
    assert identify(b"From: a\r\nTo: b").digest != identify(b"From: a\r\nSubject: b").digest


@pytest.mark.parametrize(
    ("fields", "strong"),
    [
        (FIELDS, True),
        (b"Date: x\r\nSubject: y", True),
        (b"Date: x", False),
        (b"Date:\r\nFrom: a\r\nTo: b\r\nSubject: c", False),
        (b"From: a\r\nTo: b\r\nSubject: c", False),
        (b"", False),
    ],
)
def test_headers_speak_for_a_mail_with_a_date_and_one_more(fields: bytes, strong: bool) -> None:
    assert identify(fields).strong is strong


def test_a_body_digest_tells_bodies_apart() -> None:
    assert canonical_digest(b"a\r\n\r\nb\r\n") == canonical_digest(b"a\n\nb")
    assert canonical_digest(b"a\r\n\r\nb\r\n") != canonical_digest(b"a\r\n\r\nc\r\n")
    assert len(canonical_digest(b"")) == 32


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\r", b"\n\n\n"]), max_size=30).map(b"".join), st.integers(1, 5)
)
def test_the_canonical_digest_in_pieces(message: bytes, size: int) -> None:
    digest = CanonicalDigest()
    for at in range(0, len(message), size):
        digest.update(message[at : at + size])

    unified = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    assert digest.digest() == canonical_digest(message) == blake2b(unified, digest_size=32).digest()


NAMES = st.sampled_from([b"Message-ID", b"message-id ", b"Message-Id", b"Date", b"From", b"To", b"Subject", b"X-Other"])
VALUES = st.one_of(
    st.sampled_from(
        [b" <a@b>", b"<a@b>", b" <a@c>", b" < a@b >", b" a@b", b" <a@b> <c@d>", b" (x) <a@b>", b"\r\n <a@b>", b" <>",
         b"", b" <a@b>\r\n more", b" <\xe6@b>", b" <X@b>", b" <a\tb@c>", b" <a@b> "]
    ),
    st.binary(max_size=12).map(lambda raw: b" " + raw.replace(b"\n", b"\n ")),
)  # fmt: skip
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(
    lambda fields: b"\r\n".join(name + b":" + value for name, value in fields)
)


@given(HEADERS, HEADERS)
def test_keys_say_no_more_than_a_long_look_says(one: bytes, other: bytes) -> None:
    (key, evidence), (other_key, other_evidence) = keys(one), keys(other)
    known, other_known = identify(one), identify(other)
    if evidence == other_evidence:
        assert known == other_known
    assert (key == other_key) == (
        known.message_id == other_known.message_id
        if known.message_id or other_known.message_id
        else known.digest == other_known.digest
    )


@given(HEADERS)
def test_a_key_says_whether_there_is_a_message_id_and_whether_the_rest_is_strong(fields: bytes) -> None:
    key, known = keys(fields)[0], identify(fields)
    assert bool(key & HAS_ID) == (known.message_id is not None)
    assert bool(key & STRONG) == (known.message_id is None and known.strong)
    assert -(1 << 63) <= key < 1 << 63


@given(HEADERS, st.binary(max_size=4))
def test_what_servers_mask_is_no_other_evidence(fields: bytes, rest: bytes) -> None:
    masked = bytes(byte if 0 < byte < 0x80 else ord("X") for byte in fields)
    assert keys(fields) == keys(masked)
