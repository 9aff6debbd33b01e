"""A terminal's picture as SVG: each run of characters at its own cell, so that wide ones never move the rest."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

_SIZE = 18.0
_CELL = _SIZE * 0.60205  # the advance of DejaVu Sans Mono
_LINE = 23.0
_BASE = 17.0
_EDGE = 16.0
_FONTS = "'DejaVu Sans Mono','Noto Sans Mono CJK JP','Noto Sans CJK JP',monospace"


def picture(lines: Sequence[Sequence[Segment]], width: int, background: str, title: str) -> str:
    """The SVG of these lines, `width` cells each."""
    wide, high = width * _CELL + 2 * _EDGE, len(lines) * _LINE + 2 * _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.1f} {high:.1f}" width="{wide:.0f}"'
        f' height="{high:.0f}" font-family="{_FONTS}" font-size="{_SIZE:.0f}" xml:space="preserve">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{background}"/>',
    ]
    for y, line in enumerate(lines):
        cells = list(_placed(line))
        parts += [_ground(x, y, text, style) for x, text, style in cells if style and style.bgcolor]
        for x, text, style in cells:
            parts += _glyphs(x, y, text, style)
    return "\n".join([*parts, "</svg>", ""])


def _placed(line: Sequence[Segment]) -> Iterator[tuple[int, str, Style | None]]:
    x = 0
    for text, style, _control in line:
        yield x, text, style
        x += cell_len(text)


def _ground(x: int, y: int, text: str, style: Style | None) -> str:
    color = _color(style, ground=True)
    # A hair wider and higher, else the edges of neighbours shine through.
    return (
        f'<rect x="{_EDGE + x * _CELL:.2f}" y="{_EDGE + y * _LINE:.2f}" width="{cell_len(text) * _CELL + 0.4:.2f}"'
        f' height="{_LINE + 0.4:.2f}" fill="{color}"/>'
    )


def _glyphs(x: int, y: int, text: str, style: Style | None) -> Iterator[str]:
    """Narrow ASCII in runs; every other character by itself in the middle of its cells."""
    look = f'fill="{_color(style, ground=False)}"' + (' font-weight="bold"' if style and style.bold else "")
    height = f"{_EDGE + y * _LINE + _BASE:.2f}"
    for plain, run in groupby(text, key=lambda char: char.isascii()):
        chars = "".join(run)
        if plain:
            if chars.strip():
                start = x + len(chars) - len(chars.lstrip())
                word = chars.strip()
                yield (
                    f'<text x="{_EDGE + start * _CELL:.2f}" y="{height}" {look}'
                    f' textLength="{len(word) * _CELL:.2f}">{escape(word)}</text>'
                )
            x += len(chars)
            continue
        for char in chars:
            cells = cell_len(char)
            if char.strip():
                middle = _EDGE + (x + cells / 2) * _CELL
                yield f'<text x="{middle:.2f}" y="{height}" {look} text-anchor="middle">{escape(char)}</text>'
            x += cells


def _color(style: Style | None, *, ground: bool) -> str:
    color = (style.bgcolor if ground != bool(style.reverse) else style.color) if style else None
    if color is None:
        return "#000000" if ground else "#ffffff"
    return color.get_truecolor(foreground=not ground).hex
