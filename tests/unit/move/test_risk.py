"""What servers are known to change, found piece by piece."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.headers import header_end
from hikkoshi.move import risk as module
from hikkoshi.move.risk import Risk

_RISKY = re.compile(rb"\x00|\r(?!\n)|(?<!\r)\n|[^\n]{1000}")
_HIGH = re.compile(rb"[\x80-\xff]")
PIECES = [b"a" * 333, b"a", b"\r\n", b"\r\n", b"\r\n", b"\r", b"\n", b"\0", "見".encode()]


def at_risk(message: bytes, *sizes: int) -> bool:
    """Found in pieces: the header, then pieces of these sizes in turn."""
    found = Risk()
    at = header_end(message)
    found.update(message[:at])
    for size in sizes * (len(message) + 1):
        if at >= len(message):
            break
        found.update(message[at : at + size])
        at += size
    return found.end()


@pytest.mark.parametrize(
    ("content", "risky"),
    [
        (b"Subject: x\r\n\r\nbody\r\n", False),
        ("Subject: x\r\n\r\n見積\r\n".encode(), False),  # 8-bit bodies are left alone
        ("Subject: 見積\r\n\r\nbody\r\n".encode(), True),
        (b"Subject: x\r\n\r\nNUL \x00\r\n", True),
        (b"Subject: x\r\n\r\nbare \r return\r\n", True),
        (b"Subject: x\r\n\r\nbare \n feed\r\n", True),
        (b"Subject: x\r\n\r\n" + b"x" * 997 + b"\r\n", False),
        (b"Subject: x\r\n\r\n" + b"x" * 1000 + b"\r\n", True),
    ],
)
def test_what_servers_are_known_to_change_is_at_risk(content: bytes, risky: bool) -> None:
    assert at_risk(content, 1 << 20) is risky
    assert at_risk(content, 7) is risky


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), st.lists(st.integers(1, 900), min_size=1, max_size=4)
)
def test_it_finds_what_one_pattern_finds(message: bytes, sizes: list[int]) -> None:
    expected = bool(_RISKY.search(message) or _HIGH.search(message, 0, header_end(message)))

    assert at_risk(message, *sizes) == expected
    assert module._LONG == 1000
