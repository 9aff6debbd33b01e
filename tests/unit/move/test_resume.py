"""Finding the mails of a move again on this PC."""

from msgspec.structs import replace

from hikkoshi.index.queries import Row
from hikkoshi.index.relation import Relation
from hikkoshi.index.store import IndexedMessage
from hikkoshi.ledger.records import Item, ItemState
from hikkoshi.mail.message import Message
from hikkoshi.move.resume import Placed, find, gone

MISSING, THERE = Relation.ONLY_LOCAL, Relation.SAME


def item(id_: int, place: str = "0:90", name: str = "a", native: str = "/mail/Inbox") -> Item:
    return Item("Inbox", place, 90, b"Subject: " + name.encode(), "INBOX", "", id=id_, native=native)


def here(
    row: int, place: str, relation: Relation = MISSING, name: str = "a", native: str = "/mail/Inbox", size: int = 90
) -> Placed:
    message = Message(place, size, frozenset(), 1, b"Subject: " + name.encode())
    folder = native.rpartition("/")[2]
    return Placed(native, Row(row, 1, relation, "", IndexedMessage(row, 1, message), None, folder, ""))


def test_a_mail_at_its_place() -> None:
    assert find([item(7)], [here(1, "90:90", name="b"), here(2, "0:90")]) == {7: 2}


def test_another_mail_that_lies_at_its_place_now_is_not_it() -> None:
    assert find([item(7)], [here(1, "0:90", name="b"), here(2, "300:90")]) == {7: 2}
    assert find([item(7)], [here(1, "0:90", name="b")]) == {}
    assert find([item(7)], [here(1, "0:90", size=91)]) == {}


def test_copies_are_each_taken_once_and_their_own_places_first() -> None:
    there = [here(1, "0:90"), here(2, "90:90"), here(3, "180:90")]

    assert find([item(7, "180:90"), item(8, "0:90")], there) == {7: 3, 8: 1}
    assert find([item(n, f"{n}:90") for n in range(5)], there) == {0: 1, 1: 2, 2: 3}


def test_the_copy_that_the_server_lacks_is_taken_though_another_lies_at_the_place() -> None:
    """The file was compacted: at the place is the twin that has arrived."""
    assert find([item(7, "0:90")], [here(1, "0:90", THERE), here(2, "90:90")]) == {7: 2}
    assert find([item(7, "0:90")], [here(1, "0:90", THERE)]) == {7: 1}


def test_a_copy_in_the_same_folder_before_one_in_another() -> None:
    there = [here(1, "0:90", native="/mail/Other"), here(2, "500:90")]

    assert find([item(7)], there) == {7: 2}
    assert find([item(7)], there[:1]) == {7: 1}, "it was put into another folder"


def test_an_earlier_version_kept_the_name_of_the_folder_only() -> None:
    there = [here(1, "0:90", native="/mail/Other"), here(2, "0:90")]

    assert find([item(7, native="")], there) == {7: 2}


def test_a_mended_mail_is_found_by_its_original() -> None:
    mended = replace(item(7), size=120, source_size=90)

    assert find([mended], [here(1, "0:90")]) == {7: 1}


def test_one_that_is_gone_can_be_gone_on_with_should_it_come_back() -> None:
    assert gone(item(7)).state is ItemState.FAILED
    assert "no longer on this PC" in gone(item(7)).reason
