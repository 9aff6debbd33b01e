"""Reading prefs.js, the settings of a Mozilla profile: `user_pref("name", value);`, a line each.

Format: modules/libpref/parser/src/lib.rs of mozilla-central. Values are strings, 32-bit integers and booleans.
"""

import re

Value = str | int | bool

_STRING = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'"
# Comments and pref lines as alternatives, so that neither is looked for inside the other.
_ITEM = re.compile(
    r"//[^\r\n]*|#[^\r\n]*|/\*.*?\*/"
    r"|\b(?:user_|sticky_)?pref\s*\(\s*(?P<name>" + _STRING + r")\s*,\s*"
    r"(?P<value>" + _STRING + r"|[+-]?\d+|true|false)\s*(?:,\s*\w+\s*)*\)\s*;",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r"}


def parse_prefs(text: str) -> dict[str, Value]:
    """The settings in the text of a prefs.js; of two with one name the later. What is no setting is passed over."""
    prefs: dict[str, Value] = {}
    for item in _ITEM.finditer(text):
        if item["name"] is not None:
            prefs[_string(item["name"])] = _value(item["value"])
    return prefs


def _value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    return _string(text) if text[0] in "\"'" else int(text)


def _string(quoted: str) -> str:
    text = _ESCAPE.sub(_unescape, quoted[1:-1])
    # \u escapes come in UTF-16 pairs; a half without its other half cannot be shown.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(match: re.Match[str]) -> str:
    byte, unit, char = match.groups()
    if char is not None:
        return _CONTROL.get(char, char)
    return chr(int(byte or unit, 16))
