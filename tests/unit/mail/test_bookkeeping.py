import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hikkoshi.mail.bookkeeping import upload_chunks, upload_form, upload_size
from hikkoshi.mail.headers import header_block, identity_fields
from hikkoshi.mail.identity import canonical_digest
from support import slow_bookkeeping

CLIENT = (
    b"X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00800000\nX-Mozilla-Keys: $label1        \n"
    b"X-Account-Key: account1\nX-UIDL: 0000000165f0\nStatus: RO\nX-Status: A\nx-keywords: a,\n b\nX-UID: 3\n"
    b"X-IMAP: 1 2\nX-IMAPbase: 1 2\n"
)

pieces = st.lists(
    st.sampled_from(
        [b"Status", b"X-UIDL", b"X-Mozilla-Status", b"Content-Length", b"Subject", b":", b": 1", b" ", b"\t", b"\r",
         b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b"x", b"\0", b"\xff", b"From "]
    )
).map(b"".join)  # fmt: skip


def test_drops_all_that_mail_clients_write_for_themselves_and_nothing_else() -> None:
    stored = CLIENT + b"Subject: x\nX-Mozilla-Draft-Info: keep\nStatus-Report: keep\n\nStatus: R\nX-UIDL: body\n"
    kept = b"Subject: x\r\nX-Mozilla-Draft-Info: keep\r\nStatus-Report: keep\r\n\r\nStatus: R\r\nX-UIDL: body\r\n"
    assert upload_form(stored, mbox=True) == kept
    assert upload_form(stored.replace(b"\n", b"\r\n"), mbox=True) == kept


def test_content_length_is_the_clients_own_in_an_mbox_only() -> None:
    stored = b"Content-Length: 5\nSubject: x\n\nbody\n"
    assert upload_form(stored, mbox=True) == b"Subject: x\r\n\r\nbody\r\n"
    assert upload_form(stored, mbox=False) == b"Content-Length: 5\r\nSubject: x\r\n\r\nbody\r\n"


@pytest.mark.parametrize(
    ("stored", "form"),
    [
        (b"", b""),
        (b"Status: R", b""),
        (b"Status: R\n\nbody", b"\r\nbody"),
        (b"Status : R\n\t folded\nA: 1\n\nb", b"A: 1\r\n\r\nb"),
        (b"\nStatus: R\n", b"\r\nStatus: R\r\n"),
        (b"A: 1\n\na\rb\r\r\nc\n", b"A: 1\r\n\r\na\rb\r\r\nc\r\n"),
        (b"A: Status: R\n\n", b"A: Status: R\r\n\r\n"),
        (b"A: 1\n\n\0\xff", b"A: 1\r\n\r\n\0\xff"),
    ],
)
def test_line_ends_become_crlf_and_other_bytes_stay(stored: bytes, form: bytes) -> None:
    assert upload_form(stored, mbox=True) == form


@given(st.one_of(pieces, st.binary()), st.booleans())
@example(b"Status: R\r", True)
@example(b"Status: R\n\n\nStatus: R", True)
def test_the_size_is_the_length_of_the_form_for_any_bytes(stored: bytes, mbox: bool) -> None:
    assert upload_size(stored, mbox=mbox) == len(upload_form(stored, mbox=mbox))


@given(pieces, st.booleans())
def test_the_form_of_a_form_is_itself(stored: bytes, mbox: bool) -> None:
    once = upload_form(stored, mbox=mbox)
    assert upload_form(once, mbox=mbox) == once
    assert b"\n" not in once.replace(b"\r\n", b"")


@given(pieces, st.booleans())
def test_the_identity_fields_are_the_same_before_and_after(stored: bytes, mbox: bool) -> None:
    form = upload_form(stored, mbox=mbox)
    assert identity_fields(header_block(form)) == identity_fields(header_block(stored))


@given(pieces)
def test_the_canonical_digest_does_not_depend_on_line_ends(content: bytes) -> None:
    lf = content.replace(b"\r", b"")
    form = upload_form(lf, mbox=True)
    assert canonical_digest(form) == canonical_digest(upload_form(lf.replace(b"\n", b"\r\n"), mbox=True))
    assert canonical_digest(form) == canonical_digest(form + b"\r\n")


PIECES = [b"Subject: x", b"X-UIDL: 7", b"Content-Length: 5", b" folded", b"\n", b"\r\n", b"\r", b"a", b"\0", b"\n\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.integers(1, 9), st.booleans())
def test_the_upload_form_in_pieces(stored: bytes, size: int, mbox: bool) -> None:
    pieces = [stored[at : at + size] for at in range(0, len(stored), size)]

    assert b"".join(upload_chunks(pieces, mbox=mbox)) == upload_form(stored, mbox=mbox)


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\r"]), max_size=30).map(b"".join))
def test_line_ends_become_crlf_as_one_pattern_says(body: bytes) -> None:
    assert upload_form(b"\n" + body, mbox=True) == re.sub(rb"(?<!\r)\n", b"\r\n", b"\n" + body)


def test_an_empty_piece_within_a_line_end_adds_no_cr() -> None:
    assert b"".join(upload_chunks([b"\na\r", b"", b"\n"], mbox=True)) == b"\r\na\r\n"


@given(st.one_of(pieces, st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)), st.data(), st.booleans())
@example(b"Status: R\n folded\nX-UIDL: 1", None, True)
def test_the_upload_form_is_the_slow_twins_however_it_comes(stored: bytes, data: st.DataObject, mbox: bool) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stored)))) if data else [3, 3, 11]
    chunks = [stored[start:end] for start, end in pairwise([0, *sorted(cuts), len(stored)])]
    wanted = slow_bookkeeping.upload_form(stored, mbox=mbox)

    assert b"".join(upload_chunks(chunks, mbox=mbox)) == upload_form(stored, mbox=mbox) == wanted
    assert upload_size(stored, mbox=mbox) == len(wanted)
    assert re.search(rb"(?<!\r)\n", wanted) is None
