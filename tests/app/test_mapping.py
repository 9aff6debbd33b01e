"""The mapping editor."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual.widgets import Input

from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.index.queries import Counts, FolderPair
from hikkoshi.mail.folders import Role
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]


async def test_it_shows_which_folder_goes_where(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("g")

        line = next(line for line in screen.lines if "Sent Messages" in line and "there" in line)
        assert line.index("Sent ") < line.index("Sent Messages")
        new = next(line for line in screen.lines if "Local Folders/見積/2024" in line and "new" in line)
        assert "new" in new


async def test_a_folder_is_sent_elsewhere_and_compared_again(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("F", *["down"] * 4, "enter")
        line = screen.app.screen.query_one(Input)
        assert line.value == "Projects/2024"
        line.value = "Archive"
        await screen.press("enter")
        assert "changed" in screen.text
        await screen.press("s")
        await screen.closed()
        await screen.idle()

        assert screen.session.overrides == {"Projects/2024": "Archive"}
        await screen.folder("Projects/2024")
        assert "Server: Archive" in screen.shown("#heads")


async def test_the_server_s_folders_are_offered(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("g", "enter")
        screen.app.screen.query_one(Input).value = ""
        await screen.press("s", "e", "n")
        await screen.until(lambda: screen.app.screen.query_one(Input)._suggestion != "", "a suggestion")
        await screen.press("right", "enter", "s")
        await screen.closed()
        await screen.idle()

        assert screen.session.overrides == {"Inbox": "Sent Messages"}


async def test_escape_leaves_the_line_and_then_the_screen_with_nothing_changed(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("g", "enter")
        screen.app.screen.query_one(Input).value = "Elsewhere"
        await screen.press("escape")
        assert screen.app.screen is not screen.main
        await screen.press("escape")
        await screen.closed()

        assert screen.session.overrides == {}


async def test_a_correction_can_be_taken_back(opened: Open) -> None:
    async with opened(overrides={"Sent": "Archive"}) as screen:
        await screen.press("g", "down", "delete")
        assert "(chosen by role and name)" in screen.text
        await screen.press("s")
        await screen.closed()
        await screen.idle()

        assert screen.session.overrides == {}


async def test_its_keys_are_in_its_bar(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("g")

        assert "Save and compare" in screen.app.screen.query_one(KeyBar).text


async def test_a_folder_that_is_left_out_and_missing_on_the_server_is_not_called_new(opened: Open) -> None:
    outbox = FolderPair(99, "Outbox", None, "Outbox", False, Role.OUTBOX, Counts(), 0, 0, 0, True)
    async with opened() as screen:
        screen.main.folders.pairs = (outbox,)
        await screen.press("g")
        await screen.until(lambda: screen.app.screen is not screen.main and screen.app.screen.is_mounted)

        line = next(line for line in screen.lines if " Outbox " in line)
        assert "left out" in line
        assert "new" not in line
