"""Selecting rows by keys and with the mouse."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual import events
from textual.screen import ModalScreen

from hikkoshi.index.relation import UPLOAD
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]


def selected(screen: Opened) -> list[int]:
    """Positions of the selected rows."""
    panes = screen.main.panes
    return [position for position in range(panes.count) if screen.main.selection.has(position)]


async def test_space_selects_and_goes_on(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("space", "space", "down", "space")

        assert selected(screen) == [0, 1, 3]
        assert screen.main.panes.cursor == 4


async def test_space_on_a_selected_row_takes_it_out(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("space", "up", "space")

        assert selected(screen) == []


async def test_shift_and_arrows_select_a_range_that_can_shrink(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("down", "shift+down", "shift+down", "shift+down", "shift+up")

        assert selected(screen) == [1, 2, 3]


async def test_a_plain_move_ends_the_range_and_another_adds_to_it(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("shift+down", "down", "down", "shift+down")

        assert selected(screen) == [0, 1, 3, 4]


async def test_all_and_none(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("a")
        assert len(selected(screen)) == 197
        await screen.press("escape", "ctrl+a")
        assert len(selected(screen)) == 197
        await screen.press("escape")
        assert selected(screen) == []


async def test_shift_end_selects_to_the_last_row(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("down", "shift+end")

        assert len(selected(screen)) == 196


async def test_missing_selects_what_the_server_lacks_of_this_folder(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("m")

        rows = [screen.main.rows.at(screen.main.panes.ids, position) for position in selected(screen)]
        assert len(rows) == 25
        assert all(row is not None and row.relation & UPLOAD for row in rows)
        assert "25 selected: 364.0 KiB to upload" in screen.shown("#status")


async def test_missing_everywhere_goes_over_all_folders(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("M")

        assert screen.main.selection.count == screen.main.selection.sendable == 81


async def test_a_selection_stays_when_another_folder_is_shown(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("m")
        await screen.folder("Sent")
        await screen.press("m")

        assert screen.main.selection.count == 25 + 28


async def test_the_status_tells_how_many_can_be_uploaded_and_where_that_leads(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("a")

        assert "25 of 197 can be uploaded, 364.0 KiB" in screen.shown("#status")
        assert "then 60.4 MiB, 60 %" in screen.shown("#status")
        assert "then 60.4 MiB, 60 %" in screen.shown("#gauges")


async def test_what_does_not_fit_is_said_in_words_while_it_is_selected(opened: Open) -> None:
    async with opened(limit=63 * 1024 * 1024 + 500 * 1024) as screen:
        await screen.press("M")

        assert "DOES NOT FIT" in screen.shown("#status")
        assert "DOES NOT FIT" in screen.shown("#gauges")


async def test_dragging_selects_rows(opened: Open) -> None:
    async with opened() as screen:
        await screen.pilot.mouse_down("#panes", offset=(10, 2))
        await screen.pilot.hover("#panes", offset=(12, 6))
        await screen.pilot.mouse_up("#panes", offset=(12, 6))

        assert selected(screen) == [2, 3, 4, 5, 6]
        assert screen.app.mouse_captured is None
        assert not screen.app.screen.selections


async def test_dragging_back_leaves_out_what_is_left_again(opened: Open) -> None:
    async with opened() as screen:
        await screen.pilot.mouse_down("#panes", offset=(10, 2))
        await screen.pilot.hover("#panes", offset=(10, 9))
        await screen.pilot.hover("#panes", offset=(10, 1))
        await screen.pilot.mouse_up("#panes", offset=(10, 1))

        assert selected(screen) == [1, 2]


async def test_ctrl_keeps_and_shift_extends(opened: Open) -> None:
    async with opened() as screen:
        await screen.pilot.click("#panes", offset=(10, 1))
        await screen.pilot.click("#panes", offset=(10, 4), control=True)
        assert selected(screen) == [1, 4]
        await screen.pilot.click("#panes", offset=(10, 4), control=True)
        assert selected(screen) == [1]
        await screen.pilot.click("#panes", offset=(10, 1))
        await screen.pilot.click("#panes", offset=(10, 5), shift=True)
        assert selected(screen) == [1, 2, 3, 4, 5]


async def test_a_click_on_a_selected_row_makes_it_the_only_one(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("a")
        await screen.pilot.click("#panes", offset=(10, 3))

        assert selected(screen) == [3]


async def test_a_drag_that_begins_on_a_selected_row_changes_nothing(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("a")
        await screen.pilot.mouse_down("#panes", offset=(10, 3))
        await screen.pilot.hover("#panes", offset=(10, 8))
        await screen.pilot.mouse_up("#panes", offset=(10, 8))

        assert len(selected(screen)) == 197


async def test_a_drag_below_the_list_scrolls_on_and_stops_with_the_button(opened: Open) -> None:
    async with opened(size=(120, 24)) as screen:
        panes = screen.main.panes
        await screen.pilot.mouse_down("#panes", offset=(10, 2))
        await screen.pilot.hover("#keys")
        await screen.until(lambda: panes.scroll_offset.y > 8, "scrolling")
        await screen.pilot.mouse_up("#keys")
        await screen.until(lambda: panes._timer is None, "the end of scrolling")

        chosen = selected(screen)
        assert chosen == list(range(2, 2 + len(chosen)))
        assert len(chosen) > 20


async def test_escape_in_a_drag_gives_back_what_was_selected(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("space")
        await screen.pilot.mouse_down("#panes", offset=(10, 5))
        await screen.pilot.hover("#panes", offset=(10, 9))
        await screen.press("escape")

        assert selected(screen) == [0]
        assert screen.app.mouse_captured is None


async def test_a_dialog_in_a_drag_ends_it(opened: Open) -> None:
    async with opened() as screen:
        await screen.pilot.mouse_down("#panes", offset=(10, 5))
        await screen.pilot.hover("#panes", offset=(10, 9))
        screen.app.push_screen(ModalScreen[None]())
        await screen.pilot.pause()

        assert screen.app.mouse_captured is None
        assert selected(screen) == []


async def test_events_as_a_terminal_sends_them_select_too(opened: Open) -> None:
    """A driver's events take another road than pilot's."""
    async with opened() as screen:
        top = screen.main.panes.region

        def event(kind: type[events.MouseEvent], y: int) -> events.MouseEvent:
            x = top.x + 5
            return kind(None, x, top.y + y, 0, 0, 1, False, False, False, x, top.y + y)

        for each in (event(events.MouseDown, 1), event(events.MouseMove, 4), event(events.MouseUp, 4)):
            screen.app.post_message(each)
            await screen.pilot.pause()

        assert selected(screen) == [1, 2, 3, 4]


async def test_a_pointer_that_only_moves_paints_nothing(opened: Open) -> None:
    async with opened() as screen:
        panes = screen.main.panes
        painted: list[int] = []
        paint = panes.line_at
        panes.line_at = lambda position, width: painted.append(position) or paint(position, width)  # type: ignore[method-assign, func-returns-value]
        for y in range(2, 12):
            await screen.pilot.hover("#panes", offset=(10, y))

        assert painted == []


async def test_a_cursor_step_paints_two_rows(opened: Open) -> None:
    async with opened() as screen:
        panes = screen.main.panes
        painted: list[int] = []
        paint = panes.line_at
        panes.line_at = lambda position, width: painted.append(position) or paint(position, width)  # type: ignore[method-assign, func-returns-value]
        await screen.press("down")

        assert set(painted) == {0, 1}


async def test_a_step_over_the_edge_scrolls_by_half_a_page(opened: Open) -> None:
    async with opened() as screen:
        panes = screen.main.panes
        height = panes.scrollable_content_region.height
        await screen.press(*["down"] * height)

        assert panes.cursor == height
        assert panes.scroll_offset.y == height - height // 2
