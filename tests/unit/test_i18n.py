from collections.abc import Iterator

import pytest

from hikkoshi import i18n

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    i18n.set_language("en")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LANGUAGE": "fr:ja:en"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "POSIX"}, "en"),
        ({"LANG": ""}, "en"),
    ],
)
def test_the_language_comes_from_the_environment(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert i18n.detect_language() == language


def test_english_is_the_source_itself() -> None:
    assert i18n._("Stopped.") == "Stopped."
    assert i18n.ngettext("{n} mail", "{n} mails", 1) == "{n} mail"
    assert i18n.ngettext("{n} mail", "{n} mails", 2) == "{n} mails"
    assert i18n.N_("Stopped.") == "Stopped."


def test_the_empty_text_stays_empty_in_every_language() -> None:
    for language in i18n.LANGUAGES:
        i18n.set_language(language)
        assert i18n.language() == language
        # gettext keeps a catalogue's own header under the empty text.
        assert i18n._("") == ""


def test_a_language_without_catalogue_is_english() -> None:
    i18n.set_language("xx")
    assert i18n.language() == "en"
    assert i18n._("Stopped.") == "Stopped."
