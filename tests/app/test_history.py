"""Past moves on the screen: their list, a receipt mail by mail, going on with one that ended early."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.screen import ScreenSession
from hikkoshi.app.main import HikkoshiApp
from hikkoshi.app.rows import Rows
from hikkoshi.app.screens.records import RecordsScreen
from hikkoshi.app.signs import UNICODE
from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from hikkoshi.errors import UsageError
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.ledger.records import ItemState, Move, State, There
from hikkoshi.move import batch, deliver
from hikkoshi.move.events import Landed
from hikkoshi.move.mail_receipt import Fate, MailReceipt
from support.moving import mails, write_mbox
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]

STOPPED = Move(
    id=7, server="taro@mail.example.jp", store="/home/taro/mail", started=1_795_000_000, ended=1_795_000_060,
    state=State.STOPPED, reason="SIGHUP", counts={ItemState.VERIFIED: 2, ItemState.PLANNED: 3},
    sizes={ItemState.VERIFIED: 5000, ItemState.PLANNED: 9000},
)  # fmt: skip
DONE = Move(
    id=6, server="taro@mail.example.jp", store="/home/taro/mail", started=1_794_000_000, ended=1_794_000_060,
    state=State.DONE, reason="", counts={ItemState.VERIFIED: 1}, sizes={ItemState.VERIFIED: 1000},
)  # fmt: skip


def mail(number: int, fate: Fate, state: ItemState, **more: object) -> MailReceipt:
    values: dict[str, object] = {
        "item": number, "fate": fate, "state": state, "subject": f"見積書 {number}", "message_id": "", "sender": "",
        "folder": "Inbox", "native": "/mail/Inbox", "place": "0:9", "target": "INBOX", "uid": 40 + number, "uidvalidity": 3,
        "size": 2048, "digest": "ab" * 32, "date": 1_700_000_000, "date_source": "received", "flags": ("\\Seen",),
        "notes": "", "repairs": (), "verified": "facts", "there": There(2048, frozenset({"\\Seen"}), 1_700_000_000),
        "sent_at": 1_794_000_001, "reason": "",
    }  # fmt: skip
    return MailReceipt(**{**values, **more})  # type: ignore[arg-type]


MAILS = [
    mail(1, Fate.MOVED, ItemState.VERIFIED),
    mail(2, Fate.MOVED, ItemState.VERIFIED, verified="its size is 3 bytes instead of 4"),
    mail(3, Fate.NOT_MOVED, ItemState.FAILED, uid=None, reason="the server refused it\x1b[31m"),
]


async def records(screen: Opened, title: str) -> RecordsScreen:
    await screen.until(
        lambda: isinstance(screen.app.screen, RecordsScreen) and title in screen.app.screen.shown.title, title
    )
    await screen.until(lambda: title in screen.text, title)
    found = screen.app.screen
    assert isinstance(found, RecordsScreen)
    return found


async def test_moves_are_listed_and_their_receipts_opened(opened: Open) -> None:
    async with opened(moves=[STOPPED, DONE], mails=MAILS) as screen:
        await screen.press("h")
        await records(screen, "Past moves")
        assert "the terminal was closed" in screen.text
        assert "2 of 5 mails are there" in screen.text
        await screen.press("enter")
        shown = await records(screen, "Receipt of the move 7")

        assert [shown.shown.record(n).texts[0] for n in range(shown.shown.count)] == ["Not moved", "Moved", "Moved"]
        assert "the server refused it" in screen.text
        assert "\x1b" not in screen.text
        await screen.press("down")
        assert "its size is 3 bytes instead of 4" in screen.text
        await screen.press("down")
        assert "UID 41 (UIDVALIDITY 3)" in screen.text
        assert "ab" * 32 in screen.text


async def test_a_receipt_fits_a_small_screen(opened: Open) -> None:
    async with opened(moves=[DONE], mails=MAILS * 50, size=(80, 24)) as screen:
        await screen.press("h")
        await records(screen, "Past moves")
        await screen.press("enter")
        await records(screen, "Receipt of the move 6")

        assert "Close" in screen.text
        assert sum("見積書 3" in line for line in screen.lines) > 1


async def test_what_is_left_of_a_move_is_planned_and_goes_on_as_that_move(opened: Open) -> None:
    async with opened(moves=[STOPPED, DONE]) as screen:
        await screen.press("h")
        await records(screen, "Past moves")
        await screen.press("c")
        text = await screen.dialog("Upload")
        assert "This goes on with the move 7" in text
        assert "a doubtful mail" in text
        await screen.press("enter")
        await screen.dialog("All mail arrived")

        assert [each.move for each in screen.session.resumed if each] == [7]


async def test_after_an_upload_that_ended_early_the_first_look_offers_to_go_on(opened: Open) -> None:
    async with opened(moves=[STOPPED], left="The upload of yesterday ended early.") as screen:
        text = await screen.dialog("The last upload ended early")
        assert "of yesterday" in text
        await screen.press("enter")
        text = await screen.dialog("Upload")

        assert "This goes on with the move 7" in text


async def test_a_move_is_undone_only_after_a_question_to_which_enter_says_no(opened: Open) -> None:
    async with opened(moves=[DONE, STOPPED]) as screen:
        await screen.press("h")
        await records(screen, "Past moves")
        await screen.press("down", "x")
        text = await screen.dialog("Remove 2 mails")
        assert "move 7" in text
        await screen.press("enter")
        await screen.closed()
        assert screen.session.undone == []

        await screen.press("h")
        await records(screen, "Past moves")
        await screen.press("down", "x")
        await screen.dialog("Remove 2 mails")
        await screen.press("left", "enter")
        text = await screen.dialog("Not all mail was removed")

        assert screen.session.undone == [7]
        assert "a read mail (Inbox): its flags are" in text


async def test_what_cannot_be_gone_on_with_says_why_and_that_is_all(opened: Open) -> None:
    async with opened(moves=[DONE], errors_of_moves=[UsageError("The move 6 was undone.")]) as screen:
        await screen.press("h")
        await records(screen, "Past moves")
        await screen.press("c")
        assert "The move 6 was undone." in await screen.dialog("That did not work")
        assert [answer.label for answer in screen.app.screen.answers] == ["Close"]  # type: ignore[attr-defined]


async def test_without_a_move_there_is_nothing_to_go_on_with(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("h")
        await records(screen, "Past moves")
        assert "Nothing was moved yet." in screen.text
        await screen.press("c", "enter", "escape")
        await screen.closed()


async def test_a_real_move_is_gone_on_with_and_its_one_receipt_has_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAILS", 1)
    monkeypatch.setattr(deliver, "_IN_THE_AIR", 1)
    write_mbox(tmp_path / "mail" / "Inbox", mails("in", 5))
    account = Account("user", "secret", storage_limit=1 << 20)
    with DemoServer(account) as demo:
        options = Options(tmp_path / "mail", parse_address(f"imap://user@{demo.host}:{demo.port}"))
        session = ScreenSession(options, ScreenSession.open_store(options), "secret", files_in(tmp_path / "files"))
        cancel = Cancel()
        session.refresh(lambda _progress: None, Cancel())
        session.upload(session.plan(), lambda e: cancel.set("user") if isinstance(e, Landed) else None, cancel)
        there = len(account.mailboxes["INBOX"].messages)
        assert 0 < there < 5, "it was stopped in the middle"
        rows = Rows(session.index_path)
        app = HikkoshiApp(session, rows, signs=UNICODE)
        async with app.run_test(size=(120, 36)) as pilot:
            screen = Opened(app, session, pilot)  # type: ignore[arg-type]
            await screen.idle()
            await screen.press("h")
            shown = await records(screen, "Past moves")
            assert shown.shown.record(0).texts[2] == f"{there} mail{'s' * (there > 1)}"
            await screen.press("c")
            await screen.dialog("Upload")
            await screen.press("enter")
            await screen.dialog("All mail arrived")
            await screen.press("enter")
            await screen.closed()
            await screen.idle()
            await screen.press("h")
            await records(screen, "Past moves")
            await screen.press("enter")
            shown = await records(screen, "Receipt of the move 1")
            assert [shown.shown.record(n).texts[0] for n in range(shown.shown.count)] == ["Moved"] * 5
        rows.close()
        assert len(account.mailboxes["INBOX"].messages) == 5
