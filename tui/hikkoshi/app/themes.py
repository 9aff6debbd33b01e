"""Colour themes: one TOML file each, ours from themes/ and the user's own beside the config file.

A file has the fields of Textual's `Theme` at its top and our own colours under [variables]; an unknown name is
refused, so that a slip of the pen is seen.
"""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import platformdirs
from textual.color import Color, ColorParseError
from textual.theme import Theme

from hikkoshi.errors import ConfigError
from hikkoshi.i18n import _

DEFAULT = "hikkoshi-dark"

VARIABLES = {
    "row-text": "#d6dbe5",
    "row-same": "#8b94a5",
    "row-only-local": "#7fd1a0",
    "row-only-server": "#7ab4f5",
    "row-sent-gap": "#f2c66d",
    "row-read": "#f0917a",
    "row-flags": "#d59af0",
    "row-elsewhere": "#6fcfd6",
    "row-doubt": "#ff7eb0",
    "row-duplicate": "#b3a27c",
    "row-left-out": "#6d7585",
    "row-pending": "#9aa3b5",
    "row-copy": "#8b94a5",
    "row-absent": "#111214",
    "row-marked": "#24483a",
    "row-cursor": "#414754",
    "row-cursor-away": "#32363e",
    "gauge-used": "#7ab4f5",
    "gauge-after": "#7fd1a0",
    "gauge-free": "#4a5264",
    "gauge-reserve": "#a08a55",
    "gauge-over": "#ff6b6b",
    "bar": "#282b31",
    "bar-key": "#f2c66d",
    "head": "#9aa3b5",
    "bad": "#ff6b6b",
}
"""Our own colours; what a theme leaves out is as in the dark one."""

_FIELDS = {field.name for field in fields(Theme)} - {"variables", "name"}
_TRUTHS = {"dark", "ansi"}
_NUMBERS = {"luminosity_spread", "text_alpha"}


def theme_folders() -> list[Path]:
    """Where themes are: in the installed package or the work tree, then the user's own."""
    package = Path(__file__).parent.parent
    ours = [folder for folder in (package / "themes", package.parent.parent / "themes") if folder.is_dir()]
    return [*ours[:1], platformdirs.user_config_path("hikkoshi") / "themes"]


def load_themes(folders: list[Path]) -> tuple[list[Theme], list[str]]:
    """The themes in these folders, a later one in place of an earlier of its name; and what is wrong with others."""
    good: dict[str, Theme] = {}
    bad = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            try:
                good[path.stem] = load_theme(path)
            except ConfigError as error:
                bad.append(str(error))
    return list(good.values()), bad


def load_theme(path: Path) -> Theme:
    """The theme in a file, named like the file. Raises `ConfigError` naming the file and what is wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return _theme(path.stem, data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError, ColorParseError) as error:
        raise ConfigError(
            _("The theme file {path} cannot be used: {reason}. Mend it or move it away.").format(
                path=path, reason=error
            )
        ) from error


def _theme(name: str, data: dict[str, Any]) -> Theme:
    variables = data.pop("variables", {})
    unknown = sorted(set(data) - _FIELDS) + sorted(set(variables) - set(VARIABLES))
    if unknown:
        raise ValueError(_("it has unknown names: {names}").format(names=", ".join(unknown)))
    if "primary" not in data:
        raise ValueError(_("it has no colour called primary"))
    for key, value in [*data.items(), *variables.items()]:
        if key in _TRUTHS or key in _NUMBERS:
            if not isinstance(value, bool if key in _TRUTHS else int | float):
                raise ValueError(_("{name} has a value of the wrong kind").format(name=key))
        else:
            Color.parse(str(value))
    return Theme(name=name, **data, variables={key: str(value) for key, value in variables.items()})
