"""What is found in mails before they are sent, on the screen: told, shown mail by mail, repaired by choice."""

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from hikkoshi.app.screens.records import RecordsScreen
from hikkoshi.mail.findings import Finding
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.budget import Budget
from hikkoshi.move.notes import Note
from hikkoshi.move.preflight import Noticed, Preflight
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]

FOUND = Preflight(
    (
        Noticed(
            1, "Inbox", b"Subject: =?utf-8?B?6KaL56mN?=", (Note(Finding.EIGHT_BIT_HEADER),), frozenset({Repair.ENCODE_HEADERS})
        ),
        Noticed(2, "Inbox", b"Subject: nul\x1b[31m", (Note(Finding.NUL), Note(Finding.ODD_DATE, "received"))),
    )
)  # fmt: skip


async def answer(screen: Opened, label: str) -> None:
    """Press the button that says `label`."""
    labels = [each.label for each in screen.app.screen.answers]  # type: ignore[attr-defined]
    first = next(n for n, b in enumerate(screen.app.screen.query("Button")) if b.has_focus)
    steps = labels.index(label) - first
    await screen.press(*["right" if steps > 0 else "left"] * abs(steps), "enter")


async def records(screen: Opened, title: str) -> RecordsScreen:
    await screen.until(lambda: isinstance(screen.app.screen, RecordsScreen) and title in screen.text, title)
    found = screen.app.screen
    assert isinstance(found, RecordsScreen)
    return found


async def test_each_finding_is_told_with_the_servers_and_shown_mail_by_mail(opened: Open) -> None:
    async with opened(found=FOUND) as screen:
        await screen.press("m", "u")
        text = await screen.dialog("Upload")
        assert "1 mail with raw 8-bit text in its header (refused by iCloud, changed by Cyrus)" in text
        assert "1 mail with a NUL" in text
        await answer(screen, "Mails…")
        await records(screen, "What was found before sending")
        assert "見積" in screen.text
        await screen.press("down")
        assert "date from Received" in screen.text
        assert "\x1b" not in screen.text
        await screen.press("escape")

        assert "Upload" in await screen.dialog("Upload"), "back at the question"


async def test_no_repair_is_made_that_was_not_chosen(opened: Open) -> None:
    async with opened(found=FOUND) as screen:
        await screen.press("m", "u")
        await screen.dialog("Upload")
        await screen.press("enter")
        await screen.dialog("All mail arrived")

        assert {item.repairs for item in screen.session.uploads[0].items} == {frozenset()}


async def test_a_chosen_repair_is_told_and_made(opened: Open) -> None:
    async with opened(found=FOUND) as screen:
        await screen.press("m", "u")
        await screen.dialog("Upload")
        await answer(screen, "Repairs…")
        await records(screen, "Which repairs")
        assert "encode-headers" in screen.text
        await screen.press("space")
        await screen.until(lambda: screen.main.signs.selected in screen.text, "the choice")
        await screen.press("escape")
        text = await screen.dialog("Upload")
        assert "Mended: raw 8-bit header text as encoded words" in text
        await screen.press("enter")
        await screen.dialog("All mail arrived")

        assert {item.repairs for item in screen.session.uploads[0].items} == {frozenset({Repair.ENCODE_HEADERS})}


async def test_escape_ends_the_look_and_the_plan_says_so(opened: Open) -> None:
    async with opened(found=FOUND, look_pause=threading.Event()) as screen:
        await screen.press("m", "u")
        await screen.until(lambda: "looking at each mail" in screen.shown("#status"), "the look")
        await screen.press("escape")
        text = await screen.dialog("Upload")

        assert "Not all mails were looked at" in text
        assert "8-bit" not in text


async def test_a_days_budget_and_the_days_that_the_plan_takes_are_told(opened: Open) -> None:
    async with opened(daily=Budget(2_000_000)) as screen:
        await screen.press("M", "u")
        text = await screen.dialog("Upload")

        assert "1.9 MiB of the 1.9 MiB that may go in 24 hours are left." in text
        assert "The plan takes 2 days" in text
