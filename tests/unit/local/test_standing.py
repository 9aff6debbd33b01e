"""What the headers of a mail say of it, where no summary does."""

import pytest

from hikkoshi.local.standing import Standing, header_standing

SEEN, FLAGGED = "\\Seen", "\\Flagged"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (b"X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00800000\nX-Mozilla-Keys: $label1 work   \n",
         {SEEN, FLAGGED, "$MDNSent", "$label1", "work"}),
        (b"Subject: x\r\nX-MOZILLA-STATUS: 0001\r\n", {SEEN}),
        (b"X-Mozilla-Status: 0000\nStatus: RO\n", set()),
        (b"X-Mozilla-Status: what\n", set()),
        (b"Status: RO\nX-Status: AF\nX-Keywords: $label2\n", {SEEN, FLAGGED, "\\Answered", "$label2"}),
        (b"Subject: Status: RO\n X-Status: F\n", set()),
        (b"Status: O\nSubject: y\nStatus: RO\n", set()),
        (b"", set()),
    ],
)  # fmt: skip
def test_flags(header: bytes, flags: set[str]) -> None:
    assert header_standing(header) == Standing(frozenset(flags))


@pytest.mark.parametrize("header", [b"X-Mozilla-Status: 0009\n", b"Status: RO\nX-Status: D\n"])
def test_deleted_mail_that_waits_for_compacting(header: bytes) -> None:
    assert not header_standing(header).live


def test_a_sender_deletes_nothing() -> None:
    assert header_standing(b"Status: Delivered\nX-Status: Done\n") == Standing()


def test_partial_mail() -> None:
    assert header_standing(b"X-Mozilla-Status: 0401\n").partial
    assert header_standing(b"X-Mozilla-Status2: 00000400\nX-Mozilla-Status: 0001\n") == Standing(frozenset((SEEN,)))
