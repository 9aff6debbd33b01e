"""A screen with a list of records: columns, the record under the cursor, keys."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from rich.cells import cell_len
from textual.widgets import Static

from hikkoshi.app.screens.records import Choice, Records, RecordsScreen
from hikkoshi.app.widgets.record_list import Column, Record
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]

NAMES = ["見積書の件", "plain", "[bold]none[/]", *(f"mail {number}" for number in range(300))]


def made() -> Records:
    return Records(
        title="Mails",
        columns=(Column(), Column(8, right=True), Column(12)),
        count=len(NAMES),
        record=lambda position: Record((NAMES[position], str(position), "why")),
        detail=lambda position: [(f"about {NAMES[position]}", "")],
        choices=(Choice("enter", "Enter", "Open", "open"), Choice("x", "x", "Undo", "undo")),
        head=[("what all of them are", "dim")],
    )


async def show(screen: Opened) -> list[object]:
    given: list[object] = []
    screen.app.push_screen(RecordsScreen(made(), screen.main.signs), given.append)
    await screen.until(lambda: isinstance(screen.app.screen, RecordsScreen), "the screen")
    await screen.until(lambda: "about" in screen.text, "the record")
    return given


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_columns_are_cut_by_cells_and_the_cursors_record_is_told(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size=size) as screen:
        await show(screen)
        lines = [line for line in screen.lines if "why" in line]

        assert "見積書の件" in lines[0]
        assert "[bold]none[/]" in lines[2]
        assert len({cell_len(line[: line.index("why")]) for line in lines}) == 1
        assert "what all of them are" in screen.text
        assert "Undo" in screen.text, "the keys stay in view under a long list"
        await screen.press("down")
        assert "about plain" in screen.text


async def test_a_key_gives_what_it_stands_for_and_the_place(opened: Open) -> None:
    async with opened() as screen:
        given = await show(screen)
        await screen.press("end", "x")
        await screen.closed()

        assert given == [("undo", len(NAMES) - 1)]


async def test_escape_and_a_click_on_it_give_nothing(opened: Open) -> None:
    async with opened() as screen:
        given = await show(screen)
        await screen.press("escape")
        await screen.closed()
        given += await show(screen)
        bar = screen.app.screen.query_one("#record-keys")
        await screen.pilot.click(bar, offset=(bar.query_ancestor(RecordsScreen).query_one(Static).size.width - 1, 0))
        assert isinstance(screen.app.screen, RecordsScreen), "beside the keys nothing is pressed"

        assert given == [None]


async def test_a_list_of_nothing_hears_no_key(opened: Open) -> None:
    async with opened() as screen:
        given: list[object] = []
        empty = Records("Moves", (Column(),), 0, made().record, lambda _: (), made().choices)
        screen.app.push_screen(RecordsScreen(empty, screen.main.signs), given.append)
        await screen.until(lambda: isinstance(screen.app.screen, RecordsScreen), "the screen")
        await screen.press("enter", "escape")
        await screen.closed()

        assert given == [None]
