"""Collect the program's texts into the gettext catalogues and compile them; with --check only see that they are whole.

Whole means: every text of the source is in every catalogue, translated, with the same placeholders.
"""

import re
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent / "tui" / "hikkoshi"
LANGUAGES = ("ja",)
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"\{[a-z_]+(?=[:}])")


def template() -> Catalog:
    """Every text of the source."""
    catalogue = Catalog(project="hikkoshi")
    found = extract_from_dir(ROOT, keywords=KEYWORDS, comment_tags=("TRANSLATORS:",), strip_comment_tags=True)
    for name, _line, message, comments, context in found:
        # No line numbers: they would change every catalogue with every commit.
        catalogue.add(message, None, [(name, None)], auto_comments=comments, context=context)
    return catalogue


def po_path(language: str) -> Path:
    """Where a language's catalogue is."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "hikkoshi.po"


def load(language: str) -> Catalog:
    """A language's catalogue, empty if there is none yet."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, project="hikkoshi")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    """Bring a catalogue up to the source and compile it."""
    catalogue = load(language)
    catalogue.update(template(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    out = BytesIO()
    write_po(out, catalogue, sort_output=True, width=118, include_lineno=False, omit_header=False)
    path.write_bytes(out.getvalue())
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    missing = faults(language)
    print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(missing)} to mend")  # noqa: T201


def faults(language: str) -> list[str]:
    """What is missing or wrong in a language's catalogue."""
    catalogue = load(language)
    found = []
    for message in template():
        if not message.id:
            continue
        translated = catalogue.get(message.id, message.context)
        text = _first(message.id)
        if translated is None:
            found.append(f"{language}: not in the catalogue: {text!r}")
        elif not translated.string or not all(_all(translated.string)):
            found.append(f"{language}: not translated: {text!r}")
        elif translated.fuzzy:
            found.append(f"{language}: fuzzy: {text!r}")
        else:
            found += _placeholder_faults(language, message, translated)
    return found


def _placeholder_faults(language: str, message: Message, translated: Message) -> list[str]:
    wanted = {name for text in _all(message.id) for name in PLACEHOLDER.findall(text)}
    return [
        f"{language}: placeholders differ: {_first(message.id)!r}"
        for text in _all(translated.string)
        if set(PLACEHOLDER.findall(text)) != wanted
    ]


def _all(texts: object) -> list[str]:
    return [texts] if isinstance(texts, str) else [str(text) for text in texts]  # type: ignore[attr-defined]


def _first(texts: object) -> str:
    return _all(texts)[0]


def main() -> int:
    """Update, or check."""
    if "--check" not in sys.argv:
        for language in LANGUAGES:
            update(language)
        return 0
    found = [fault for language in LANGUAGES for fault in faults(language)]
    for fault in found:
        print(fault)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
