"""When an mbox's Content-Length is believed, and that no sender can hide other mail with one."""

from pathlib import Path

import pytest

from hikkoshi.local.content_length import chained_mails, content_length
from hikkoshi.local.mbox import read_extent, scan_extents
from hikkoshi.local.mbox_reader import Starts

LINE = b"From a@example.jp  Tue Mar  5 10:00:00 2024\n"
CLASSIC_BODY = b"hello\n\nFrom b@example.jp Tue Mar 5 11:00:00 2024\nno header at all\n"
FORWARDED = b"see below\n\nFrom b@example.jp Tue Mar 5 11:00:00 2024\nFrom: b@example.jp\nSubject: in it\n\ninside\n"


def mail(body: bytes, *, length: int | None = None, more: bytes = b"", with_length: bool = True) -> bytes:
    """A mail of an mbox, with the true length of its body or another one."""
    told = b"Content-Length: %d\n" % (len(body) if length is None else length) if with_length else b""
    return LINE + b"From: a@example.jp\nSubject: x\n" + more + told + b"\n" + body


def bodies(path: Path, content: bytes, starts: Starts | None = None) -> list[bytes]:
    path.write_bytes(content)
    return [read_extent(path, extent.place).partition(b"\n\n")[2] for extent in scan_extents(path, starts=starts)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mbox"


@pytest.mark.parametrize("between", [b"", b"\n"], ids=["next", "blank line"])
@pytest.mark.parametrize("body", [CLASSIC_BODY, FORWARDED])
def test_a_file_whose_mails_all_lead_to_the_next_one_is_an_mboxcl(path: Path, body: bytes, between: bytes) -> None:
    body += b"" if between else b"\n"
    content = between.join([mail(body), mail(b"second\n" if between else b"second\n\n"), mail(body)]) + between

    found = bodies(path, content)

    assert list(chained_mails(path) or ()) == [extent.offset for extent in scan_extents(path)]
    assert [text.strip() for text in found] == [body.strip(), b"second", body.strip()]


@pytest.mark.parametrize("plain", [0, 1, 2])
def test_one_mail_without_a_length_and_the_file_is_no_mboxcl(path: Path, plain: int) -> None:
    mails = [mail(FORWARDED, with_length=number != plain) for number in range(3)]

    found = bodies(path, b"\n".join(mails) + b"\n")

    assert len(found) == 6


def test_a_mail_of_thunderbirds_and_the_file_is_no_mboxcl(path: Path) -> None:
    found = bodies(path, mail(FORWARDED) + b"\n" + mail(b"x\n", more=b"X-Mozilla-Status: 0001\n") + b"\n")

    assert len(found) == 3


def test_a_true_length_makes_body_of_a_line_that_is_a_boundary_by_the_classic_rule_alone(path: Path) -> None:
    content = mail(b"first\n", with_length=False) + b"\n" + mail(CLASSIC_BODY) + b"\n" + mail(b"x\n", with_length=False)

    assert bodies(path, content) == [b"first\n", CLASSIC_BODY, b"x\n"]


@pytest.mark.parametrize("off", [-1, 2, 9999, -len(CLASSIC_BODY), 10**18])
def test_a_length_that_leads_to_no_mail_is_not_believed(path: Path, off: int) -> None:
    content = (
        mail(b"first\n", with_length=False)
        + b"\n"
        + mail(CLASSIC_BODY, length=max(0, len(CLASSIC_BODY) + off))
        + b"\n"
        + mail(b"x\n", with_length=False)
    )

    assert len(bodies(path, content)) == 4


def test_two_lengths_are_none() -> None:
    assert content_length(b"Content-Length: 5\n") == 5
    assert content_length(b"content-length : 5 \r\n") == 5
    assert content_length(b"Content-Length: 5\nContent-Length: 5\n") is None
    assert content_length(b"Content-Length: 5x\n") is None
    assert content_length(b"Subject: 5\n") is None


def test_no_sender_can_hide_a_mail_in_a_file_with_other_mail_in_it(path: Path) -> None:
    """His length leads exactly to the mail behind the next one, or to the file's end."""
    victim = mail(b"for you\n", with_length=False) + b"\n"
    body = CLASSIC_BODY + b"\n"
    crafted = mail(body, length=len(body) + len(victim))
    his, other = mail(b"his\n\n"), mail(b"other\n\n", with_length=False)
    for before, behind in ((other, b""), (b"", other), (his, other), (other, his)):
        found = bodies(path, before + crafted + victim + behind)

        assert b"for you\n" in found
        assert len(found) == 3 + bool(before) + bool(behind), "his own is cut where the rules cut it"


def test_with_a_summary_or_in_thunderbirds_files_no_length_counts(path: Path) -> None:
    content = mail(FORWARDED) + b"\n" + mail(b"x\n") + b"\n"

    assert len(bodies(path, content, Starts(frozenset()))) == 3
    assert len(bodies(path, content, Starts(frozenset({0})))) == 3


def test_a_long_body_is_looked_through_once(path: Path) -> None:
    """Thousands of classic lines in one mail, whose length leads over all of them."""
    body = CLASSIC_BODY * 20_000

    assert bodies(path, mail(b"a\n", with_length=False) + b"\n" + mail(body) + b"\n") == [b"a\n", body]
