"""The screen while the server is listed for the first time: rows at once, nothing moves under the user's hands."""

import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hikkoshi.app import main as program
from hikkoshi.app.rows import Rows, Wanted
from hikkoshi.errors import ConnectionLost
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.mail.folders import Folder, Role
from support.fake_session import FakeSession, message
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]
Step = Callable[[Index], None]
Early = Callable[..., AbstractAsyncContextManager[Opened]]

HERE = [Folder("Inbox", ("Inbox",), Role.INBOX, "/mail/Inbox"), Folder("Sent", ("Sent",), Role.SENT, "/mail/Sent")]
THERE = [Folder("INBOX", ("INBOX",), Role.INBOX, "INBOX"), Folder("Sent", ("Sent",), Role.SENT, "Sent")]


def local(index: Index) -> None:
    """Ten mails in the inbox of this PC, five in its sent folder; the server has the two folders."""
    ids = index.sync_folders(LOCAL, HERE)
    index.sync_folders(SERVER, THERE)
    with index.transaction():
        index.add(ids["/mail/Inbox"], [message(number) for number in range(10, 100, 10)])
        index.add(ids["/mail/Sent"], [message(number) for number in range(1000, 1005)])
        for row in ids.values():
            index.set_stamp(row, "1")


def listed(folder: str, *numbers: int) -> Step:
    """These mails of a server folder came in."""

    def step(index: Index) -> None:
        row = index.server_folder(folder)
        assert row is not None
        with index.transaction():
            index.add(row, [message(number, uid=number) for number in numbers])
            index.set_stamp(row, "1")

    return step


@pytest.fixture
def early(opened: Open) -> Early:
    """`async with early(step, …) as screen:` once the first step is shown; `await go_on(screen)` shows the next."""

    @asynccontextmanager
    async def start(*steps: Step, **options: object) -> AsyncIterator[Opened]:
        async with opened(wait=False, steps=list(steps), pause=threading.Event(), **options) as screen:
            await screen.until(lambda: screen.main.snapshot is not None, "the first look")
            yield screen

    return start


async def go_on(screen: Opened) -> None:
    """Let the next step come, and wait until it is shown, or until the look has ended."""
    before = screen.main.snapshot
    assert screen.session.pause is not None
    screen.session.pause.set()
    await screen.until(lambda: screen.main.snapshot is not before, "the next look")


def subject(screen: Opened, position: int) -> bytes:
    """What tells the mail of a row apart."""
    row = screen.main.rows.at(screen.main.panes.ids, position)
    assert row is not None
    shown = row.local or row.server
    assert shown is not None
    return shown.message.fields


async def test_rows_of_this_pc_are_there_before_anything_of_the_server(early: Early) -> None:
    async with early(local) as screen:
        assert screen.main.work.busy
        assert screen.main.panes.count == 9
        assert screen.text.count(" ⋯ ") >= 9
        assert "not known yet" in screen.shown("#facts")
        assert "no differences" not in screen.text
        assert "checked" not in screen.shown("#title")


async def test_the_title_says_how_many_mails_have_come_in(early: Early) -> None:
    async with early(local, listed("INBOX", 10, 15, 20)) as screen:
        await go_on(screen)
        assert "listing the server: 3 mails, INBOX 2/2" in screen.shown("#title")


async def test_a_title_that_is_too_long_is_cut_and_keeps_the_number_of_mails(early: Early) -> None:
    async with early(local, size=(80, 24)) as screen:
        screen.main.tell_state("listing the server: 1,234,567 mails, " + "Projects/2024 " * 5)
        await screen.pilot.pause()
        assert "1,234,567 mails, " in screen.lines[0]
        assert "›" in screen.lines[0]


async def test_what_came_in_is_paired_at_once_and_the_rest_in_the_end(early: Early) -> None:
    async with early(local, listed("INBOX", 10, 15)) as screen:
        await go_on(screen)
        kinds = [screen.main.rows.at(screen.main.panes.ids, at) for at in range(screen.main.panes.count)]
        relations = [row.relation for row in kinds if row]
        assert relations.count(Relation.PENDING) == 8
        assert relations.count(Relation.ONLY_SERVER) == 1
        assert relations.count(Relation.SAME) == 1
        await go_on(screen)
        await screen.idle()
        assert screen.main.folders.counts.only_local == 8
        assert screen.main.folders.pending == 0
        assert "⋯" not in screen.text
        assert "checked 09:41" in screen.shown("#title")


async def test_the_cursor_stays_on_its_mail_and_on_its_line(early: Early) -> None:
    async with early(local, listed("INBOX", *range(1, 60)), size=(120, 24)) as screen:
        panes = screen.main.panes
        await screen.press("down", "down", "down")
        mail, line = subject(screen, panes.cursor), panes.cursor - panes.scroll_offset.y
        await go_on(screen)
        assert panes.cursor > 3
        assert subject(screen, panes.cursor) == mail
        assert panes.cursor - panes.scroll_offset.y == line


async def test_what_was_scrolled_to_stays_in_view(early: Early) -> None:
    first = listed("INBOX", *range(100, 200))
    async with early(lambda index: (local(index), first(index))[0], listed("INBOX", *range(1, 60))) as screen:
        panes = screen.main.panes
        panes.scroll_to(y=50, animate=False, immediate=True)
        mail = subject(screen, 50)
        await go_on(screen)
        assert panes.scroll_offset.y > 50
        assert subject(screen, panes.scroll_offset.y) == mail


async def test_where_nobody_has_moved_the_newest_mail_stays_at_the_top(early: Early) -> None:
    async with early(local, listed("INBOX", 1, 2, 3)) as screen:
        await go_on(screen)
        panes = screen.main.panes
        assert (panes.cursor, panes.scroll_offset.y) == (0, 0)
        assert b"<1@example.jp>" in subject(screen, 0)


async def test_the_screen_itself_reads_no_list_of_rows_for_a_look(
    early: Early, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_rows: Rows, _wanted: Wanted) -> None:
        raise AssertionError("a million ids take half a second, and keys would wait for them")

    async with early(local, listed("INBOX", 1), listed("Sent", 1000)) as screen:
        await screen.folder("Sent")
        monkeypatch.setattr(Rows, "ids", refuse)
        await go_on(screen)
        await go_on(screen)
        await go_on(screen)
        await screen.idle()
        assert screen.main.panes.count == 5


def test_threads_take_short_turns_while_the_screen_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = sys.getswitchinterval(), []
    monkeypatch.setattr(program.HikkoshiApp, "run", lambda _app: seen.append(sys.getswitchinterval()))
    monkeypatch.setattr(program, "on_hang_up", lambda _hang_up: None)
    program.run_app(FakeSession(tmp_path / "index.db"))
    assert seen == [pytest.approx(0.0005)]
    assert sys.getswitchinterval() == before


async def test_the_folder_and_the_filter_stay(early: Early) -> None:
    async with early(local, listed("INBOX", 1), listed("Sent", 1000)) as screen:
        await screen.folder("Sent")
        await screen.press("d")
        assert "Not known yet" in screen.text
        await go_on(screen)
        await go_on(screen)
        assert screen.main.folders.pair is not None
        assert screen.main.folders.pair.local == "Sent"
        await go_on(screen)
        await screen.idle()
        assert screen.main.panes.count == 4


async def test_a_selection_stays_and_its_mail_can_be_uploaded_in_the_end(early: Early) -> None:
    async with early(local, listed("INBOX", 1, 2, 10)) as screen:
        await screen.press("down", "space", "space")
        assert "none of them can be uploaded" in screen.shown("#status")
        chosen = set(screen.main.selection.ids())
        await go_on(screen)
        assert set(screen.main.selection.ids()) == chosen
        await go_on(screen)
        await screen.idle()
        assert set(screen.main.selection.ids()) == chosen
        assert screen.main.selection.sendable == 2


async def test_rows_do_not_change_while_the_mouse_selects_some(early: Early) -> None:
    async with early(local, listed("INBOX", *range(1, 9))) as screen:
        panes = screen.main.panes
        await screen.pilot.mouse_down("#panes", offset=(10, 2))
        await screen.pilot.hover("#panes", offset=(10, 4))
        chosen = [panes.ids[at] for at in (2, 3, 4)]
        told = screen.main._state
        assert screen.session.pause is not None
        screen.session.pause.set()
        await screen.until(lambda: screen.main._state != told, "the next step")
        assert panes.count == 9
        await screen.pilot.mouse_up("#panes", offset=(10, 4))
        await screen.until(lambda: panes.count == 17, "the rows that came in meanwhile")
        assert sorted(screen.main.selection.ids()) == sorted(chosen)


async def test_nothing_can_be_uploaded_until_the_list_is_whole(early: Early) -> None:
    async with early(local) as screen:
        await screen.press("u")
        assert "still being listed" in screen.shown("#status")
        await screen.press("down", "m")
        assert "still being listed" in screen.shown("#status")
        assert screen.main.selection.count == 0
        assert not screen.session.uploads


async def test_a_list_that_was_cut_keeps_its_rows_and_uploads_nothing(early: Early) -> None:
    def cut(_index: Index) -> None:
        raise ConnectionLost("The connection was cut.")

    async with early(local, cut) as screen:
        assert screen.session.pause is not None
        screen.session.pause.set()
        await screen.dialog()
        await screen.press("escape")
        await screen.closed()
        assert "not compared" in screen.shown("#title")
        assert screen.main.panes.count == 9
        for key in ("u", "m"):
            await screen.press("down", key)
            assert "press r to go on" in screen.shown("#status")
        assert not screen.session.uploads


async def test_a_folder_that_is_not_listed_yet_is_not_called_unreadable(early: Early) -> None:
    async with early(local) as screen:
        line = next(line for line in screen.lines if line.startswith(" Sent "))
        assert "⋯" in line
        assert "!" not in line


async def test_the_help_tells_the_sign_and_the_row_says_why_it_cannot_be_uploaded(early: Early) -> None:
    async with early(local) as screen:
        await screen.press("down")
        assert "not known yet: the server was not listed to its end" in screen.shown("#status")
        await screen.press("question_mark")
        assert "⋯  not known yet" in await screen.dialog()


async def test_a_selection_survives_a_look_but_not_its_mail(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("m", "escape", "down", "space", "space", "space")
        chosen = sorted(screen.main.selection.ids())
        with Index(screen.session.index_path) as index, index.transaction():
            index.remove([chosen[0]])
        await screen.press("r")
        await screen.idle()
        assert sorted(screen.main.selection.ids()) == chosen[1:]


async def test_an_id_that_was_given_again_to_another_mail_is_selected_no_longer(opened: Open) -> None:
    async with opened() as screen:
        await screen.folder("Inbox")
        panes = screen.main.panes
        last = max(id_ for id_ in panes.ids if id_ < 1 << 40)
        panes.move_to(panes.ids.index(last))
        await screen.pilot.pause()
        await screen.press("space")
        assert list(screen.main.selection.ids()) == [last]
        with Index(screen.session.index_path) as index, index.transaction():
            folder = index.messages([last])[last].folder
            after = index.db.execute("SELECT id FROM message WHERE id >= ?", (last,)).fetchall()
            index.remove(id_ for (id_,) in after)
            index.add(folder, [message(number) for number in range(7000, 7000 + len(after))])
            assert index.messages([last])[last].message.place == "7000"
        await screen.press("r")
        await screen.idle()
        assert screen.main.selection.count == 0


async def test_mail_is_made_searchable_after_a_look_and_gives_way_to_the_next(opened: Open) -> None:
    ended = threading.Event()

    def fill(cancel: Cancel) -> None:
        cancel.wait(20)
        ended.set()

    async with opened(fill=fill) as screen:
        await screen.until(lambda: len(screen.session.filled) == 1, "the search")
        assert not ended.is_set()
        await screen.press("r")
        await screen.idle()
        assert ended.is_set()
        await screen.until(lambda: len(screen.session.filled) == 2, "the search again")
        ended.clear()
        await screen.press("q")
        await screen.until(ended.is_set, "its end with the program")
