"""How mails are cut into batches."""

from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.message import Message
from hikkoshi.move.batch import BYTES, MAILS, batches
from hikkoshi.move.plan import PlanItem
from hikkoshi.move.source import KEPT


def planned(*sizes: int) -> list[tuple[PlanItem, int]]:
    return [
        (PlanItem(number, "Inbox", "/Inbox", Message(str(number), size, frozenset(), 1, b""), "INBOX", "INBOX"), number)
        for number, size in enumerate(sizes)
    ]


@given(st.lists(st.sampled_from([1, 1000, BYTES // 3, KEPT, KEPT + 1, BYTES, 2 * BYTES]), max_size=150))
def test_every_mail_is_in_one_batch_in_its_order(sizes: list[int]) -> None:
    mails = planned(*sizes)
    found = list(batches(mails))

    assert [each for batch in found for each in batch] == mails
    assert all(0 < len(batch) <= MAILS for batch in found)
    for batch in found:
        own = [item.message.size for item, _id in batch]
        assert len(batch) == 1 or (sum(own) <= BYTES and max(own) <= KEPT)


def test_batches_are_as_full_as_they_may_be() -> None:
    assert [len(batch) for batch in batches(planned(*[1] * 120))] == [50, 50, 20]
    assert [len(batch) for batch in batches(planned(1, 1, KEPT + 1, 1))] == [2, 1, 1]
