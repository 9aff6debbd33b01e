"""Setting read state and flags on the server from the screen."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from hikkoshi.index.queries import total
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]


def differing(screen: Opened) -> tuple[int, int]:
    counts = total(screen.main.folders.pairs)
    return counts.read_state, counts.flags


async def test_what_the_pc_has_is_set_and_what_only_the_server_has_stays(opened: Open) -> None:
    async with opened() as screen:
        before = differing(screen)
        await screen.press("f")
        text = await screen.dialog("Set flags of")
        assert "+read" in text
        assert "they stay" in text
        await screen.press("enter")
        text = await screen.dialog("The flags are set")
        await screen.press("enter")
        await screen.closed()

        [plan] = screen.session.flagged
        assert f"{plan.mails:,} mails changed on the server." in text
        assert all(not item.change.remove for folder in plan.folders for item in folder.items)
        after = differing(screen)
        assert 0 < after[0] < before[0], "mail read on the server alone stays so"
        assert after[1] == before[1] > 0, "mail flagged on the server alone stays so"


async def test_taking_away_is_asked_for_and_asked_about_again(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("f")
        await screen.dialog("Set flags of")
        await screen.press("right", "enter")
        await screen.until(lambda: "Set and take away" in screen.text, "the second question")
        assert screen.session.flagged == []
        await screen.press("left", "left", "enter")
        await screen.dialog("The flags are set")
        await screen.press("enter")
        await screen.closed()

        assert differing(screen) == (0, 0)
        await screen.press("f")
        assert "the same on both sides" in screen.shown("#status")


async def test_escape_changes_nothing(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("f")
        await screen.dialog("Set flags of")
        await screen.press("escape")
        await screen.closed()

        assert screen.session.flagged == []


async def test_only_what_is_selected_is_set_where_something_is(opened: Open) -> None:
    async with opened() as screen:
        facts = [(p, screen.main.panes.row_at(screen.main.panes.ids, p)) for p in range(screen.main.panes.count)]
        position, row = next(
            (p, row)
            for p, row in facts
            if row and row.local and row.server and row.relation & 4 and not row.server.message.flags
        )
        screen.main.panes.move_to(position)
        await screen.press("space", "f")
        await screen.dialog("Set flags of 1 mail")
        await screen.press("enter")
        await screen.dialog("The flags are set")

        assert [[item.row for item in folder.items] for folder in screen.session.flagged[0].folders] == [[row.id]]


async def test_what_a_phone_changed_meanwhile_is_named(opened: Open) -> None:
    async with opened(changed_there=frozenset({"INBOX"})) as screen:
        await screen.press("f")
        await screen.dialog("Set flags of")
        await screen.press("enter")
        text = await screen.dialog("Not all flags were set")

        assert "it was changed on the server meanwhile" in text
