"""The user's language: English source text, catalogues from locale/.

`_` and `ngettext` translate at the moment they are called, so that the language can change while the program
runs. `N_` only marks a text that is translated later, where it is shown.
"""

import gettext as _gettext
import os
from pathlib import Path

DOMAIN = "hikkoshi"
LANGUAGES = ("en", "ja")

_catalogue: _gettext.NullTranslations = _gettext.NullTranslations()
_language = "en"


def detect_language() -> str:
    """The first language of LANGUAGE, LC_ALL, LC_MESSAGES and LANG that there is a catalogue for, else 'en'."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for value in os.environ.get(variable, "").split(":"):
            name = value.split(".")[0].split("_")[0].lower()
            if name in LANGUAGES:
                return name
            if name in ("c", "posix"):
                return "en"
    return "en"


def set_language(language: str) -> None:
    """Translate into `language` ('en' or 'ja') from now on."""
    global _catalogue, _language  # noqa: PLW0603 - one process shows one language at a time
    _language = language if language in LANGUAGES else "en"
    if _language == "en":
        _catalogue = _gettext.NullTranslations()
        return
    _catalogue = _gettext.translation(DOMAIN, Path(__file__).parent / "locale", [_language], fallback=True)


def language() -> str:
    """The language in use: 'en' or 'ja'."""
    return _language


def _(message: str) -> str:
    """`message` in the user's language."""
    return _catalogue.gettext(message) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """`singular` or `plural` in the user's language, by `n`."""
    return _catalogue.ngettext(singular, plural, n)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """Mark `message` for the catalogue; it is translated where it is shown."""
    return message
