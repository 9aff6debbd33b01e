"""How often a first listing is shown before its end, and of what folders it is one."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.accounts.early import EarlyLooks, is_first
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index, ServerState
from support.planted import folder


@given(took=st.floats(0.0, 3.0), every=st.floats(0.01, 0.5))
def test_looks_take_a_sixth_of_the_time_at_most_and_come_once_a_second(took: float, every: float) -> None:
    now = 100.0
    shown: list[float] = []

    def show() -> None:
        nonlocal now
        shown.append(now)
        now += took

    looks = EarlyLooks(show, lambda: now)
    for _number in range(400):
        looks.came()
        now += every
    assert shown[0] == 100.0
    # Never late either: once the time is there, the next rows are shown.
    wait = took + max(1.0, 5 * took)
    gaps = [after - before for before, after in pairwise(shown)]
    assert all(wait - 1e-6 <= gap <= wait + every + 1e-6 for gap in gaps)
    assert gaps or now - 100.0 <= wait + 2 * every


def test_a_listing_is_a_first_one_until_every_folder_was_listed_to_its_end(tmp_path: Path) -> None:
    folders = [folder("INBOX"), folder("Sent")]
    with Index(tmp_path / "index.db") as index:
        assert is_first(index, folders)
        ids = index.sync_folders(SERVER, folders)
        whole = ServerState(7, 10, 9)
        index.set_server_state(ids["INBOX"], whole)
        index.set_server_state(ids["Sent"], ServerState(7, 10, 9, complete=False))
        assert is_first(index, folders)
        index.set_server_state(ids["Sent"], whole)
        assert not is_first(index, folders)
        assert is_first(index, [*folders, folder("Made since")])
