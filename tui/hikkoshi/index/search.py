"""Finding mail by subject and correspondents, in every language: filled in the background, asked as one types.

Japanese puts no blanks between words, so what is indexed is every three letters in a row (SQLite's FTS5, tokenizer
trigram) of the text in NFKC and casefolded: full-width letters and half-width kana are found by what people type.
"""

import unicodedata
from array import array

from hikkoshi.index.schema import SERVER, SERVER_ROW
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.mail.headers import decode, iter_fields

_BATCH = 500
"""Mails a transaction: 15 ms of decoding, so that whoever else wants to write, or the screen to draw, waits no longer."""

_SHOWN = frozenset({b"subject", b"from", b"to"})
_GRAM = 3
_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def fold_text(text: str) -> str:
    """The form in which texts are compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def search_text(fields: bytes) -> str:
    """What a mail is found by: its subject and its correspondents, one a line, folded."""
    return "\n".join(fold_text(decode(value)) for name, value in iter_fields(fields) if name in _SHOWN)


def fill(index: Index, cancel: Cancel) -> None:
    """Take up mail that is not searchable yet, until none is left or the work shall stop. Raises `Cancelled`."""
    while _fill_some(index):
        # A breath between batches: in a thread of the screen's process keys come first.
        cancel.wait(0.001)
        cancel.check()


def _fill_some(index: Index) -> bool:
    with index.transaction():
        after = index.db.execute("SELECT searched FROM state").fetchone()[0]
        rows = index.db.execute(
            "SELECT id, fields FROM message WHERE id > ? ORDER BY id LIMIT ?", (after, _BATCH)
        ).fetchall()
        if not rows:
            return False
        index.db.executemany(
            "INSERT INTO words (rowid, text) VALUES (?, ?)", ((id_, search_text(fields)) for id_, fields in rows)
        )
        index.db.execute("UPDATE state SET searched = ?", (rows[-1][0],))
    return True


def progress(index: Index) -> tuple[int, int]:
    """(mails that can be found, all mails)."""
    found = index.db.execute(
        "SELECT (SELECT count(*) FROM message WHERE id <= searched), (SELECT coalesce(sum(messages), 0) FROM folder)"
        " FROM state"
    ).fetchone()
    return int(found[0]), int(found[1])


def find_rows(index: Index, text: str) -> "array[int]":
    """Ids of the pair rows one of whose copies has `text` in its subject or correspondents, in no order."""
    wanted = fold_text(text).strip()
    if len(wanted) >= _GRAM:
        quoted = '"' + wanted.replace('"', '""') + '"'
        condition, value = "words MATCH ?", quoted
    else:
        # Two letters, which in Japanese are a word, are no three: all texts are looked through (70 ms a million).
        condition, value = "text LIKE '%' || ? || '%' ESCAPE '\\'", wanted.translate(_ESCAPED)
    index.db.execute("CREATE TEMP TABLE IF NOT EXISTS hit (message INTEGER PRIMARY KEY)")
    index.db.execute("DELETE FROM hit")
    index.db.execute(f"INSERT INTO hit SELECT rowid FROM words WHERE {condition}", (value,))
    rows = index.db.execute(
        "SELECT id FROM pair WHERE id IN (SELECT message FROM hit)"
        f" UNION SELECT id FROM pair WHERE id IN (SELECT message + {SERVER_ROW} FROM hit)"
        " UNION SELECT pair.id FROM hit CROSS JOIN message m ON m.id = hit.message"
        "  CROSS JOIN message l INDEXED BY message_key ON l.key = m.key AND l.side = 0"
        "  CROSS JOIN pair ON pair.id = l.id WHERE m.side = ? AND pair.server = m.id",
        (SERVER,),
    )
    return array("q", (row[0] for row in rows))
