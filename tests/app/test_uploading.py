"""From a selection to a receipt."""

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from textual.widgets import Button

from hikkoshi.errors import ConnectFailed
from hikkoshi.move.room import Decided, Room, Source
from support.fake_session import MIB
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]


def answers(screen: Opened) -> list[str]:
    return [str(button.label).strip() for button in screen.app.screen.query(Button)]


async def test_the_plan_is_shown_before_anything_is_sent(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("M", "u")
        text = await screen.dialog()

        assert "Upload 81 mails, 2.7 MiB?" in text
        assert "見積/2024 (new)" in text
        assert "now 60.0 MiB (60 %), then 62.7 MiB (63 %) of 100.0 MiB" in text
        assert "5.0 MiB of it are kept free" in text
        await screen.press("escape")
        await screen.closed()
        assert screen.session.uploads == []
        assert screen.main.selection.count == 81


async def test_enter_uploads_and_the_receipt_tells_what_arrived(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("m", "f5")
        await screen.dialog()
        await screen.press("enter")
        await screen.idle()

        text = await screen.dialog()
        assert "All mail arrived" in text
        assert "25 mails arrived" in text
        assert [len(plan.items) for plan in screen.session.uploads] == [25]
        await screen.press("enter")
        await screen.closed()
        assert not screen.main.panel.display
        assert "60.4 MiB of 100.0 MiB" in screen.shown("#gauges")
        await screen.press("d", "d")
        assert screen.main.panes.count == 0


async def test_without_a_selection_the_row_under_the_cursor_goes(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("d", "d", "u")

        assert "Upload 1 mail," in await screen.dialog()


async def test_a_row_that_cannot_go_says_why(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("u")
        assert "The server has this mail already" in screen.shown("#status")
        await screen.folder("Trash")
        await screen.press("u")
        assert "left out" in screen.shown("#status")
        assert screen.app.screen is screen.main


async def test_a_further_copy_of_a_mail_is_never_sent_beside_it(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("a", "u")
        text = await screen.dialog()

        assert "Upload 25 mails" in text


async def test_what_does_not_fit_cannot_be_agreed_to(opened: Open) -> None:
    async with opened(limit=61 * MIB) as screen:
        await screen.press("M", "u")
        text = await screen.dialog()

        assert "It does not fit" in text
        assert "4.8 MiB too much." in text
        assert "Select less, or make room" in text
        assert answers(screen) == ["Close"], "not one mail fits beside the reserve"
        await screen.press("enter")
        await screen.closed()
        assert screen.session.uploads == []


async def test_a_part_that_fits_is_offered_shown_and_uploaded(opened: Open) -> None:
    async with opened(limit=66 * MIB) as screen:
        await screen.press("M", "u")
        text = await screen.dialog("It does not fit")
        assert "This part of it fits:" in text
        assert answers(screen)[:2] == ["Newest", "Smallest"]
        await screen.press(*["left"] * (len(answers(screen)) - 1), "enter")
        text = await screen.dialog("Upload")
        assert "Left out for lack of room" in text
        await screen.press("enter")
        await screen.dialog("All mail arrived")

        [plan] = screen.session.uploads
        dates = [item.message.date for item in plan.items]
        assert plan.fits is True
        assert 0 < len(dates) < 124


async def test_answers_that_find_no_room_in_one_row_stand_in_two(opened: Open) -> None:
    async with opened(limit=66 * MIB, size=(80, 24)) as screen:
        await screen.press("M", "u")
        await screen.dialog("It does not fit")
        rows = [line for line in screen.lines if any(f" {label} " in line for label in answers(screen))]

        assert all(any(f" {label} " in row for row in rows) for label in answers(screen))
        assert "Room is missing" in screen.text or "too much" in screen.text


async def test_the_plan_says_what_decided_the_reserve(opened: Open) -> None:
    incoming = Room("User quota", "STORAGE", 60 * MIB, 100 * MIB, Source.SERVER, 7 * MIB, decided=Decided.INCOMING)
    async with opened(given_rooms=(incoming,)) as screen:
        await screen.press("m", "u")

        assert "A reserve of 7.0 MiB is kept free: your last 30 days of incoming mail." in await screen.dialog()


async def test_an_unknown_limit_is_not_agreed_to_by_enter(opened: Open) -> None:
    async with opened(limit=None) as screen:
        await screen.press("m", "u")
        text = await screen.dialog()

        assert "nobody knows the limit" in text
        assert answers(screen) == ["Upload without knowing the limit", "Cancel"]
        await screen.press("enter")
        await screen.closed()
        assert screen.session.uploads == []
        await screen.press("u")
        await screen.dialog()
        await screen.press("left", "enter")
        await screen.idle()
        assert len(screen.session.uploads) == 1


async def test_while_it_moves_rows_gauges_and_counts_follow(opened: Open) -> None:
    pause = threading.Event()
    async with opened(pause=pause, delay=0.05) as screen:
        await screen.press("d", "d", "m")
        before = screen.text.count("»")
        await screen.press("u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        assert "0 of 25 mails" in screen.shown("#moving")
        assert "Esc stops" in screen.shown("#moving")
        assert "Stop the upload" in screen.shown("#keys")
        pause.set()
        await screen.until(lambda: screen.text.count("»") < before and screen.main.work.busy, "rows that landed")
        await screen.idle()


async def test_escape_stops_between_two_mails_after_a_question(opened: Open) -> None:
    pause = threading.Event()
    async with opened(pause=pause, delay=0.2) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        pause.set()
        await screen.until(lambda: "0 of 25" not in screen.shown("#moving"), "a mail that landed")
        await screen.press("escape")
        assert "Stop the upload?" in await screen.dialog()
        await screen.press("left", "enter")

        text = await screen.dialog("Not all mail arrived")
        assert "mails were not sent" in text
        assert "Another upload sends what is missing" in text


async def test_going_on_is_what_enter_means_in_that_question(opened: Open) -> None:
    pause = threading.Event()
    async with opened(pause=pause) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        await screen.press("escape")
        await screen.dialog()
        await screen.press("enter")
        await screen.closed()
        assert not screen.main.work.cancel.is_set()


async def test_each_mail_that_was_not_moved_is_named_with_its_reason(opened: Open) -> None:
    async with opened(refuse=frozenset({1, 2})) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.idle()

        text = await screen.dialog()
        assert "23 mails arrived" in text
        assert text.count("a mail (Inbox): the server refused it") == 2


async def test_nothing_else_begins_while_mail_moves(opened: Open) -> None:
    pause = threading.Event()
    async with opened(pause=pause) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        for key in ("u", "r", "g"):
            await screen.press(key)
            assert "Mail is being uploaded" in screen.shown("#status")


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_quitting_while_mail_moves_asks_and_waits_for_its_end(opened: Open, key: str) -> None:
    pause = threading.Event()
    async with opened(pause=pause, delay=0.2) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        await screen.press(key)
        assert "Stop the upload and leave?" in await screen.dialog()
        await screen.press("left", "enter")
        assert screen.app.return_code is None
        pause.set()
        await screen.until(lambda: screen.app.return_code is not None, "the end")
        assert screen.app.return_code == 1


async def test_a_hang_up_ends_the_move_and_then_the_program(opened: Open) -> None:
    pause = threading.Event()
    async with opened(pause=pause, delay=0.05) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        screen.app.hang_up("SIGHUP")
        assert screen.main.work.cancel.reason == "SIGHUP"
        pause.set()
        await screen.until(lambda: screen.app.return_code is not None, "the end")
        assert screen.session.snapshot is not None


async def test_a_move_that_cannot_begin_says_why(opened: Open) -> None:
    async with opened() as screen:

        def refuse(*_args: object, **_options: object) -> None:
            raise ConnectFailed("The server does not answer.")

        screen.session.upload = refuse  # type: ignore[method-assign, assignment]
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.idle()

        assert "The server does not answer." in await screen.dialog()
        assert not screen.main.panel.display


async def test_a_move_that_ends_takes_the_question_whether_to_stop_it_away(opened: Open) -> None:
    pause = threading.Event()
    async with opened(pause=pause) as screen:
        await screen.press("m", "u")
        await screen.dialog()
        await screen.press("enter")
        await screen.until(lambda: screen.main.panel.display)
        await screen.press("escape")
        await screen.dialog("Stop the upload?")
        pause.set()

        await screen.dialog("All mail arrived")
        await screen.press("enter")
        await screen.closed()
