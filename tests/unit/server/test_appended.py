"""Where uploaded mails came to lie, from an APPEND's answer."""

import pytest

from hikkoshi.server.appended import appended
from hikkoshi.server.lexer import status
from hikkoshi.server.records import Appended


def uids(code: bytes, count: int) -> list[int | None]:
    end = status(b"a OK " + code + b" done")
    assert end is not None
    return [each.uid for each in appended(end, count)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (b"[APPENDUID 7 3]", [3]),
        (b"[APPENDUID 7 3:5]", [3, 4, 5]),
        (b"[APPENDUID 7 5:3]", [3, 4, 5]),
        (b"[APPENDUID 7 3,5:6,9]", [3, 5, 6, 9]),
        (b"[appenduid 7 9,3]", [9, 3]),
    ],
)
def test_each_mail_has_its_uid_in_order(code: bytes, expected: list[int]) -> None:
    assert uids(code, len(expected)) == expected


@pytest.mark.parametrize(
    "code",
    [
        b"", b"[APPENDUID]", b"[APPENDUID 7]", b"[APPENDUID 7 3:4]", b"[APPENDUID 7 3:6]", b"[APPENDUID 7 3,3,4]",
        b"[APPENDUID 7 0:2]", b"[APPENDUID 7 1:4294967295]", b"[APPENDUID 7 3:*]", b"[APPENDUID x 3:5]",
        b"[APPENDUID 7 3:5 6]", b"[APPENDUID 7 ,3:5]", b"[COPYUID 7 3:5]",
    ],
)  # fmt: skip
def test_another_number_of_uids_than_of_mails_says_nothing(code: bytes) -> None:
    assert uids(code, 3) == [None, None, None]


def test_the_uidvalidity_is_told() -> None:
    end = status(b"a OK [APPENDUID 7 3:4] done")
    assert end is not None
    assert appended(end, 2) == [Appended(7, 3), Appended(7, 4)]
