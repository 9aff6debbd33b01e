"""Theme files."""

from pathlib import Path

import pytest
from textual.color import Color

from hikkoshi.app.themes import DEFAULT, VARIABLES, load_theme, load_themes, theme_folders
from hikkoshi.errors import ConfigError
from support.screen import open_screen

OURS = Path(__file__).parents[2] / "themes"


@pytest.mark.parametrize("path", sorted(OURS.glob("*.toml")), ids=lambda path: path.stem)
def test_our_themes_name_every_colour_and_keep_text_readable(path: Path) -> None:
    theme = load_theme(path)

    assert set(theme.variables) == set(VARIABLES)
    surface = Color.parse(theme.surface or "")
    for name in [name for name in VARIABLES if name.startswith("row-") and name not in ("row-absent",)]:
        if name in ("row-marked", "row-cursor", "row-cursor-away"):
            ground, text = Color.parse(theme.variables[name]), Color.parse(theme.variables["row-text"])
        else:
            ground, text = surface, Color.parse(theme.variables[name])
        least = 2.5 if name == "row-left-out" else 4
        assert contrast(ground, text) > least, name


def contrast(one: Color, other: Color) -> float:
    """WCAG 2 contrast ratio."""

    def light(color: Color) -> float:
        parts = [c / 255 for c in color.rgb]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_surfaces_stay_apart_at_256_colours() -> None:
    from rich.color import Color as RichColor
    from rich.color import ColorSystem

    for path in OURS.glob("*.toml"):
        theme = load_theme(path)
        grounds = [
            theme.background,
            theme.surface,
            theme.panel,
            theme.variables["row-cursor"],
            theme.variables["row-marked"],
        ]
        numbers = [RichColor.parse(str(each)).downgrade(ColorSystem.EIGHT_BIT).number for each in grounds]
        assert len(set(numbers)) == len(numbers), path.name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('primary = "#123456"\nsurfaces = "#000000"\n', "surfaces"),
        ('primary = "#123456"\n[variables]\nrow-red = "#f00"\n', "row-red"),
        ('primary = "blau"\n', "blau"),
        ('surface = "#123456"\n', "primary"),
        ("primary = \n", "Invalid value"),
        ('primary = "#123456"\ndark = "no"\n', "dark"),
    ],
)
def test_a_slip_in_a_theme_names_the_file_and_the_word(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as error:
        load_theme(path)

    assert "mine.toml" in str(error.value)
    assert says in str(error.value)


def test_a_user_s_theme_stands_in_for_ours_and_a_bad_one_stops_none(tmp_path: Path) -> None:
    (tmp_path / f"{DEFAULT}.toml").write_text('primary = "#010203"\n')
    (tmp_path / "bad.toml").write_text("nonsense")
    good, bad = load_themes([OURS, tmp_path])

    assert {theme.name: theme.primary for theme in good}[DEFAULT] == "#010203"
    assert len(bad) == 1
    assert "bad.toml" in bad[0]


def test_themes_are_found_in_this_install() -> None:
    assert any((folder / f"{DEFAULT}.toml").is_file() for folder in theme_folders())


async def test_another_theme_is_put_on_while_it_runs(tmp_path: Path) -> None:
    async with open_screen(tmp_path / "index.db") as screen:
        assert screen.app.theme == DEFAULT
        dark = screen.main.panes.rich_style
        screen.app.theme = "hikkoshi-light"
        await screen.pilot.pause()

        assert screen.main.panes.rich_style != dark
