"""Text of unknown or wrongly named charset, the Japanese ones above all."""

import codecs
import re

# Names in the wild for what Python calls otherwise. cp932 and gb18030 are what is meant by the standards' names;
# so is cp1252 by Latin-1's (WHATWG Encoding, section 4.2).
_CHARSETS = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "gb2312": "gb18030", "ks_c_5601-1987": "cp949", "unicode-1-1-utf-7": "utf-7", "iso-8859-1": "cp1252",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:()+-]*")
# Codecs of Python that are no charset of a mail: quadratic (punycode, idna) or warning about what they read.
_NO_CHARSET = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})

# ISO/IEC 2022 escapes: RFC 1468, with half-width kana and JIS X 0212 as Windows's cp50221 reads them.
_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\([BD]|\([BIJ])")
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_KANA = re.compile("[\u3041-\u30fe]")


def text_of(content: bytes, charset: str) -> str:
    """`content` as text in the charset that a mail names; guessed where it cannot be that."""
    name = charset.lower()
    if name.startswith("iso-2022-jp"):
        return _iso2022jp(content) if b"\x1b" in content else guess(content)
    for candidate in (_CHARSETS.get(name, name), "utf-8"):
        try:
            if _NAME.fullmatch(candidate) and _is_charset(candidate):
                return content.decode(candidate)
        except (LookupError, ValueError):
            continue
    return guess(content)


def _is_charset(name: str) -> bool:
    return codecs.lookup(name).name.replace("_", "-") not in _NO_CHARSET


def guess(content: bytes) -> str:
    """Text whose charset nobody names: ISO-2022-JP by its escapes, else UTF-8, cp932 or EUC-JP, Latin-1."""
    if _ESCAPE.search(content):
        return _iso2022jp(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    shift_jis, euc = _decoded(content, "cp932"), _decoded(content, "euc_jp")
    if shift_jis is None:
        return euc if euc is not None else content.decode("latin-1")
    # EUC-JP read as cp932 is a row of half-width kana; nearly no Japanese text of that kind is without kana.
    if euc is not None and _HALF_WIDTH.search(shift_jis) and _KANA.search(euc):
        return euc
    return shift_jis


def charset_of(content: bytes) -> str:
    """The MIME name of the charset in which `guess` reads raw 8-bit text: one that all of `content` can be decoded from."""
    if _decoded(content, "utf-8") is not None:
        return "utf-8"
    shift_jis, euc = _decoded(content, "cp932"), _decoded(content, "euc_jp")
    if euc is not None and (shift_jis is None or (_HALF_WIDTH.search(shift_jis) and _KANA.search(euc))):
        return "euc-jp"
    if shift_jis is None:
        return "iso-8859-1"
    # Microsoft's characters are not in the standard that the shorter name stands for.
    return "windows-31j" if _decoded(content, "shift_jis") is None else "shift_jis"


def _decoded(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        return None


def _iso2022jp(content: bytes) -> str:
    """ISO-2022-JP as Windows writes it (cp50221): with NEC's and IBM's characters, which Python's codecs refuse.

    Every two bytes of JIS X 0208 are moved to their place in Shift_JIS, whose cp932 has those characters.
    """
    first, *rest = _ESCAPE.split(content)
    parts = [first.decode("ascii", "replace")]
    for escape, text in zip(rest[::2], rest[1::2], strict=True):
        if escape in (b"$@", b"$B", b"$(B"):
            parts.append(_shifted(text).decode("cp932", "replace"))
        elif escape == b"(I":
            parts.append(bytes(byte | 0x80 for byte in text if byte > 0x20).decode("cp932", "replace"))
        elif escape == b"$(D":
            parts.append((b"\x1b$(D" + text).decode("iso2022_jp_ext", "replace"))
        else:
            parts.append(text.decode("ascii", "replace"))
    return "".join(parts)


def _shifted(text: bytes) -> bytes:
    """JIS X 0208 code points, two bytes of 0x21 to 0x7E each, as Shift_JIS; what is none stays as it is."""
    out = bytearray()
    at = 0
    while at < len(text):
        lead, trail = text[at], text[at + 1] if at + 1 < len(text) else 0
        if not (0x21 <= lead <= 0x7E and 0x21 <= trail <= 0x7E):
            out.append(lead)
            at += 1
            continue
        out.append((lead + 1) // 2 + (0x70 if lead < 0x5F else 0xB0))
        if lead % 2:
            out.append(trail + (0x1F if trail < 0x60 else 0x20))
        else:
            out.append(trail + 0x7E)
        at += 2
    return bytes(out)
