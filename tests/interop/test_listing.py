"""Looking at the server, again and again, while another client changes what is there.

Each look must leave in the index what imapclient is told by the server: no mail missed, none too many, no
flag of yesterday.
"""

import random

import pytest

from hikkoshi.mail.folders import Role
from support.moving import mail, uploaded
from support.sides import NOON, Sides


@pytest.fixture
def sides(listing_sides: Sides) -> Sides:
    return listing_sides


def plant(sides: Sides, native: str, *names: str, flags: tuple[str, ...] = ()) -> None:
    for name in names:
        sides.other.append(native, uploaded(mail(name)), flags, NOON)


def look(sides: Sides) -> None:
    snapshot = sides.look()
    assert snapshot.problems == ()
    assert snapshot.server_whole
    there = sides.other.mails()
    assert sides.listed() == there
    assert snapshot.server_total[1:] == (len(there), sum(each.size for each in there.values()))


def test_folders_have_roles_names_and_levels(sides: Sides) -> None:
    sides.other.create(sides.native("見積", "2024"))
    sides.look()
    found = {folder.path: folder for folder in sides.folders().values()}

    assert found[("INBOX",)].role is Role.INBOX
    assert {path[0]: found[path].role for path in (("Sent",), ("Drafts",), ("Trash",))} == {
        "Sent": Role.SENT, "Drafts": Role.DRAFTS, "Trash": Role.TRASH,
    }  # fmt: skip
    made = found["見積", "2024"]
    assert (made.native, made.name) == (sides.native("見積", "2024"), "見積/2024")


def test_an_empty_account_is_listed_and_stays_empty(sides: Sides) -> None:
    look(sides)
    look(sides)


def test_a_first_look_lists_all_mail_with_flags_dates_and_headers(sides: Sides) -> None:
    sides.other.append("INBOX", uploaded(mail("seen")), ["\\Seen"], NOON)
    sides.other.append(
        "INBOX", uploaded(mail("all")), ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted"], NOON
    )
    sides.other.append("INBOX", uploaded(mail("words", fields="Subject: one\n two\n")), ["$label1", "work"], NOON)
    sides.other.append("INBOX", b"\r\nno header at all\r\n", [], NOON)
    sides.other.append("INBOX", uploaded(mail("long", fields="To: " + ",\n ".join(["x@example.com"] * 60) + "\n")))
    plant(sides, sides.native("Sent"), "sent")

    look(sides)


def test_what_another_client_did_is_seen_at_the_second_look(sides: Sides) -> None:
    plant(sides, "INBOX", *(f"in-{number}" for number in range(6)))
    look(sides)

    sides.other.change_flags("INBOX", 1, add=["\\Seen", "$label2"])
    sides.other.expunge("INBOX", 3)
    plant(sides, "INBOX", "late", flags=("\\Flagged",))
    look(sides)

    sides.other.change_flags("INBOX", 1, take=["\\Seen"])
    look(sides)
    sides.other.expunge("INBOX", 7)
    look(sides)
    look(sides)


@pytest.mark.parametrize("change", ["flag", "swap", "expunge the last", "expunge all", "add"])
def test_a_single_change_is_seen(sides: Sides, change: str) -> None:
    """Each alone, since counts and UIDNEXT hide some of them: a mail gone and a mail come leave the count as it was."""
    plant(sides, "INBOX", "a", "b", "c", flags=("\\Seen",))
    look(sides)
    if change == "flag":
        sides.other.change_flags("INBOX", 2, take=["\\Seen"])
    if change in ("swap", "expunge the last"):
        sides.other.expunge("INBOX", 3)
    if change == "expunge all":
        sides.other.expunge("INBOX", 1, 2, 3)
    if change in ("swap", "add"):
        plant(sides, "INBOX", "d")
    look(sides)


def test_folders_come_go_and_change_their_names(sides: Sides) -> None:
    old, new = sides.native("見積"), sides.native("注文", "2024")
    sides.other.create(old)
    plant(sides, old, "a", "b")
    look(sides)
    sides.other.rename(old, new)
    look(sides)
    assert old not in sides.folders()
    assert len(sides.listed()) == 2
    sides.other.create(old)
    plant(sides, old, "c")
    look(sides)
    sides.other.delete(new)
    sides.other.delete(old)
    look(sides)
    assert sides.listed() == {}


def test_a_folder_made_anew_is_read_anew(sides: Sides) -> None:
    """As many mails as before, the same UIDs, other mail: only UIDVALIDITY tells."""
    native = sides.native("見積")
    sides.other.create(native)
    plant(sides, native, "old-0", "old-1", flags=("\\Seen",))
    look(sides)
    before = sides.other.uidvalidity(native)
    sides.other.delete(native)
    sides.other.create(native)
    if sides.other.uidvalidity(native) == before:
        pytest.fail("the server has given the same UIDVALIDITY again")
    plant(sides, native, "new-0", "new-1")
    look(sides)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_index_follows(sides: Sides, seed: int) -> None:
    chance = random.Random(seed)
    natives = ["INBOX", sides.native("Sent"), sides.native("見積")]
    sides.other.create(natives[-1])
    for round_ in range(5):
        for turn in range(chance.randrange(4)):
            native = chance.choice(natives)
            uids = sorted(uid for folder, uid in sides.other.mails() if folder == native)
            act = chance.choice(["add", "add", "flag", "expunge", "many"])
            if act == "add" or not uids:
                plant(sides, native, f"{round_}-{turn}", flags=chance.choice([(), ("\\Seen",), ("$label1",)]))
            elif act == "many":
                plant(sides, native, *(f"{round_}-{turn}-{number}" for number in range(chance.randrange(1, 12))))
            elif act == "flag":
                flags = [chance.choice(["\\Seen", "\\Flagged", "$label1", "\\Deleted"])]
                add = chance.random() < 0.6
                sides.other.change_flags(
                    native, chance.choice(uids), add=flags if add else (), take=() if add else flags
                )
            else:
                sides.other.expunge(native, *chance.sample(uids, chance.randrange(1, len(uids) + 1)))
        look(sides)
