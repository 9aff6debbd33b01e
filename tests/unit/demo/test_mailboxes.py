import pytest

from hikkoshi.demo.mailboxes import Account, Draft, canonical
from hikkoshi.demo.replies import No


def mail(size: int) -> Draft:
    return Draft(b"Subject: x\r\n\r\n".ljust(size, b"x"))


def test_storage_is_rounded_up_over_the_sum() -> None:
    account = Account("u", "p", storage_limit=10)
    account.append("INBOX", [mail(600), mail(600)])

    assert (account.used_storage, account.used_messages) == (2, 2)


def test_the_last_kib_can_be_used_and_no_more() -> None:
    account = Account("u", "p", storage_limit=2)
    account.append("INBOX", [mail(2048)])
    with pytest.raises(No) as refusal:
        account.append("INBOX", [mail(20)])

    assert refusal.value.code == "OVERQUOTA"
    assert account.used_messages == 1


def test_many_are_stored_all_or_none() -> None:
    account = Account("u", "p", message_limit=2)
    with pytest.raises(No):
        account.append("INBOX", [mail(20)] * 3)

    assert account.used_messages == 0
    assert account.get("INBOX").uidnext == 1


def test_size_counts_the_crlf_form() -> None:
    account = Account("u", "p")
    _, (stored,) = account.append("INBOX", [Draft(b"a: b\n\nc\r\nd\re")])

    assert stored.content == b"a: b\r\n\r\nc\r\nd\re"


def test_renaming_takes_the_children_along_and_keeps_uids() -> None:
    account = Account("u", "p")
    account.create("a/b")
    account.append("a/b", [mail(20)])
    validity = account.get("a/b").uidvalidity
    account.rename("a", "c/d")

    assert account.get("c/d/b").uidvalidity == validity
    assert list(account.get("c/d/b").messages) == [1]
    with pytest.raises(No, match="itself"):
        account.rename("c/d/b", "c/d/b/e")


def test_a_folder_made_again_has_another_uidvalidity() -> None:
    account = Account("u", "p")
    first = account.create("x").uidvalidity
    account.delete("x")

    assert account.create("x").uidvalidity > first


def test_inbox_folds_case_and_only_inbox() -> None:
    assert canonical("inbox/Sub/") == "INBOX/Sub"
    assert canonical("Inboxes") == "Inboxes"


@pytest.mark.parametrize("name", ["", "/", "a//b", "/a", "a*", "a%"])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(No):
        Account("u", "p").create(name)


def test_every_change_has_a_number_of_its_own_and_no_change_has_none() -> None:
    account = Account("u", "p")
    box, (one, two) = account.append("INBOX", [mail(20), mail(20)])
    came = box.highest

    box.set_flags([(one, frozenset({"\\Seen"})), (two, two.flags)])
    assert (one.modseq, two.modseq, box.highest) == (came + 1, came, came + 1)
    box.set_flags([(one, one.flags)])
    box.remove([])
    assert box.highest == came + 1
    box.remove([one.uid])
    assert (box.gone, box.highest) == ({one.uid: came + 2}, came + 2)
    assert list(box.messages) == [two.uid]
