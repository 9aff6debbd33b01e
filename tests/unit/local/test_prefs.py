"""prefs.js as Mozilla programs write it, and as people edit it."""

import pytest

from hikkoshi.local.prefs import parse_prefs


def test_every_kind_of_value() -> None:
    text = 'user_pref("a.name", "text");\nuser_pref("a.number", -12);\nuser_pref("a.yes", true);\nuser_pref("a.no", false);\n'

    assert parse_prefs(text) == {"a.name": "text", "a.number": -12, "a.yes": True, "a.no": False}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"C:\\Mail\\Inbox"', "C:\\Mail\\Inbox"),
        (r'"say \"hi\""', 'say "hi"'),
        (r'"two\nlines\r"', "two\nlines\r"),
        (r'"\x41\u898B\ud83d\ude00"', "A見😀"),
        (r'"half \ud83d"', "half \ufffd"),
        ('"見積); // no comment"', "見積); // no comment"),
        ("'it is \"so\"'", 'it is "so"'),
    ],
)
def test_escapes(written: str, meant: str) -> None:
    assert parse_prefs(f'user_pref("x", {written});') == {"x": meant}


def test_comments_and_damage_are_passed_over() -> None:
    text = (
        '// user_pref("a", 1);\n# user_pref("b", 2);\n/* user_pref("c", 3);\n */\n'
        'user_pref("d" 4);\nuser_pref("e", oops);\nuser_pref("f", 6); // six\r\nuser_pref( "g" , "x" ) ;\nuser_pref("h", "cut'
    )

    assert parse_prefs(text) == {"f": 6, "g": "x"}


def test_the_later_of_two_counts() -> None:
    assert parse_prefs('user_pref("a", 1);user_pref("a", 2);') == {"a": 2}
