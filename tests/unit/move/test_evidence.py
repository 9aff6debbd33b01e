"""Which mails arrived, judged by what lies on the server."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from hikkoshi.move.evidence import DOUBT, Sighting, Trace, judge

SEEN = frozenset({"\\Seen"})


def trace(
    key: int, identity: bytes = b"a", body: bytes = b"x", *, size: int = 9, uidnext: int = 1, date: int = 5
) -> Trace:
    return Trace(key, identity, size, body, SEEN, date, uidnext)


def seen(uid: int, identity: bytes = b"a", *, size: int = 9, date: int = 5) -> Sighting:
    return Sighting(uid, identity, size, SEEN, date)


def test_headers_and_size_settle_most() -> None:
    traces = [trace(1), trace(2, b"b"), trace(3, size=10), trace(4, b"c")]

    assert judge(traces, [seen(7, b"c"), seen(5), seen(6, size=10), seen(8, b"other")]) == {1: 5, 2: None, 3: 6, 4: 7}


def test_equal_mails_arrive_in_numbers() -> None:
    assert judge([trace(1), trace(2), trace(3)], [seen(5), seen(6)]) == {1: 5, 2: 6, 3: None}
    assert judge([trace(1)], [seen(5), seen(6)]) == {1: DOUBT}


def test_a_uid_below_the_saved_one_is_not_ours() -> None:
    assert judge([trace(1, uidnext=6)], [seen(5)]) == {1: None}
    assert judge([trace(1, uidnext=6), trace(2, uidnext=6)], [seen(5), seen(6)]) == {1: 6, 2: None}


def test_bodies_tell_apart_what_headers_do_not() -> None:
    bodies = {5: b"y", 6: b"x"}
    traces = [trace(1, body=b"x"), trace(2, body=b"y"), trace(3, body=b"z")]

    assert judge(traces, [seen(5), seen(6)], bodies.get) == {1: 6, 2: 5, 3: None}
    assert judge(traces, [seen(5), seen(6)]) == {1: DOUBT, 2: DOUBT, 3: DOUBT}
    assert judge(traces[:2], [seen(5), seen(6)], {}.get) == {1: 5, 2: 6}, "as many as were sent"
    assert judge(traces, [seen(5), seen(6)], {5: b"y"}.get) == {1: DOUBT, 2: 5, 3: DOUBT}


def test_dates_tell_apart_where_bodies_cannot_be_read() -> None:
    traces = [trace(1, body=b"x", date=1), trace(2, body=b"y", date=2)]

    assert judge(traces, [seen(5, date=2)]) == {1: None, 2: 5}


def test_of_mails_with_one_body_that_with_its_date_has_arrived() -> None:
    traces = [trace(1, date=1), trace(2, date=2), trace(3, body=b"y", date=1)]

    assert judge(traces, [seen(5, date=2)], {5: b"x"}.get) == {1: None, 2: 5, 3: None}
    assert judge(traces[:2], [seen(5, date=2), seen(6, date=1)]) == {1: 6, 2: 5}


def test_a_size_that_the_server_counts_otherwise() -> None:
    assert judge([trace(1)], [seen(5, size=11)]) == {1: 5}
    assert judge([trace(1)], [seen(5, size=0)]) == {1: 5}
    assert judge([trace(1)], [seen(5, size=12)]) == {1: None}
    assert judge([trace(1), trace(2, size=10)], [seen(5, size=11)]) == {1: DOUBT, 2: DOUBT}
    assert judge([trace(1), trace(2, size=11)], [seen(5, size=11)]) == {1: None, 2: 5}


MAILS = st.tuples(
    st.sampled_from([b"a", b"b"]), st.sampled_from([b"x", b"y"]), st.sampled_from([9, 10]), st.integers(1, 2)
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(MAILS, st.booleans()), max_size=8),
    st.randoms(use_true_random=False),
    st.booleans(),
    st.lists(MAILS, max_size=2),
)
def test_nothing_that_is_there_is_called_missing(mails, random, can_read: bool, others) -> None:
    """Whatever arrived, in whatever order: of each mail no more copies are sent again than are not there."""
    traces = [
        Trace(key, identity, size, body, SEEN, date, 1) for key, ((identity, body, size, date), _) in enumerate(mails)
    ]
    there = [mail for mail, arrived in mails if arrived] + others
    random.shuffle(there)
    sightings = [Sighting(uid, mail[0], mail[2], SEEN, mail[3]) for uid, mail in enumerate(there, 1)]
    bodies = {uid: mail[1] for uid, mail in enumerate(there, 1)}

    verdicts = judge(traces, sightings, bodies.get if can_read else None)

    uids = [uid for uid in verdicts.values() if isinstance(uid, int)]
    assert len(uids) == len(set(uids))
    missing = Counter(mail for mail, arrived in mails if not arrived)
    again = Counter(mails[key][0] for key, verdict in verdicts.items() if verdict is None)
    if not others:
        assert not again - missing
        assert set(verdicts) == set(range(len(mails)))
