"""What the ledger keeps of what was found in a mail."""

from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.findings import Examined, Finding
from hikkoshi.mail.message import Message
from hikkoshi.move.notes import Note, mail_notes, pack_notes, unpack_notes


def message(*flags: str, partial: bool = False) -> Message:
    return Message("1", 10, frozenset(flags), 5, b"", partial)


@given(st.lists(st.tuples(st.sampled_from(list(Finding)), st.text(max_size=30)), max_size=5))
def test_notes_come_back_but_for_the_white_space_in_them(notes: list[tuple[Finding, str]]) -> None:
    packed = pack_notes(Note(finding, detail) for finding, detail in notes)

    assert unpack_notes(packed) == [Note(finding, " ".join(detail.split())) for finding, detail in notes]


def test_of_what_a_later_version_found_nothing_is_said() -> None:
    assert unpack_notes("nul\nhas-seven-legs yes\nempty-field X-A X-B") == [
        Note(Finding.NUL),
        Note(Finding.EMPTY_FIELD, "X-A X-B"),
    ]
    assert unpack_notes("") == []


def test_details_are_names_and_the_source_of_the_date() -> None:
    found = Examined(int(Finding.EMPTY_FIELD | Finding.IMPOSSIBLE_DATE | Finding.NUL), ("X-A", "X-B"))

    notes = mail_notes(found, message(), ("odd", "way"), "from-line")

    assert notes == [
        Note(Finding.NUL),
        Note(Finding.EMPTY_FIELD, "X-A X-B"),
        Note(Finding.IMPOSSIBLE_DATE, "from-line"),
        Note(Finding.FLAGS_DROPPED, "odd way"),
    ]


def test_a_receipt_that_read_mail_asks_for_is_nothing_to_say() -> None:
    asking = Examined(int(Finding.ASKS_FOR_RECEIPT))

    assert mail_notes(asking, message("\\Flagged"), (), "date") == [Note(Finding.ASKS_FOR_RECEIPT)]
    assert mail_notes(asking, message("\\Seen"), (), "date") == []
    assert mail_notes(Examined(0), message(partial=True), (), "") == [Note(Finding.PARTIAL)]
