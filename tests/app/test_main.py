"""The main screen: what is shown, keys, folders, filters, sizes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from hikkoshi.app.signs import ASCII
from hikkoshi.errors import ConnectFailed, ConnectionLost, LoginRefused
from hikkoshi.index.queries import Counts
from hikkoshi.index.relation import Relation
from support.screen import Opened

Open = Callable[..., AbstractAsyncContextManager[Opened]]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
async def test_every_painted_line_is_as_wide_as_the_screen(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size=size) as screen:
        await screen.press("M")

        widths = {strip.cell_length for strip in screen.app.screen._compositor.render_strips()}

        assert {size[0]} == widths


async def test_a_row_stands_beside_its_other_half_with_its_sign(opened: Open) -> None:
    async with opened() as screen:
        same = next(line for line in screen.lines if "Quarterly report" in line)
        only_local = next(line for line in screen.lines if "»" in line and "写真" in line)
        only_server = next(line for line in screen.lines if "« " in line and "26-11-21" in line)

        assert same.count("26-11-24") == 2
        assert " = " in same
        assert only_local.index("写真") < only_local.index("»")
        assert only_local.split("»")[1].strip() == ""
        assert only_server.index("«") < only_server.index("26-11-21")


@pytest.mark.parametrize("number", [7, 3_004, 1_234_567])
async def test_a_number_of_differences_is_never_cut_off(opened: Open, number: int) -> None:
    async with opened(size=(120, 36)) as screen:
        counts = Counts(only_local=number, only_server=number, elsewhere=number, left_out=number)
        screen.main.facts.tell(counts, 0, screen.main.signs, whole=True)
        await screen.pilot.pause()

        painted = [line[:26] for line in screen.lines if line[:3].strip() in set("»«↷∅")]
        assert len(painted) == 4
        assert [line.split()[-1] for line in painted] == [f"{number:,}"] * 4


async def test_the_title_says_what_is_compared_and_when(opened: Open) -> None:
    async with opened() as screen:
        title = screen.shown("#title")

        assert "Thunderbird profile" in title
        assert "taro@mail.example.jp" in title
        assert "checked 09:41" in title


async def test_the_gauge_has_words_beside_its_bar(opened: Open) -> None:
    async with opened() as screen:
        assert "60.0 MiB of 100.0 MiB, 60 %" in screen.shown("#gauges")
        assert "5 % kept free" in screen.shown("#gauges")


async def test_an_unknown_limit_is_said_in_words(opened: Open) -> None:
    async with opened(limit=None) as screen:
        assert "limit unknown" in screen.shown("#gauges")


async def test_folders_show_how_many_differences_they_have(opened: Open) -> None:
    async with opened() as screen:
        line = next(line for line in screen.lines if line.startswith(" Sent "))

        assert line.split()[1] == "28"
        assert "only on this PC     25" in screen.text


async def test_moving_in_the_folder_list_shows_that_folder(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("tab", "down")

        assert screen.main.folders.pair is not None
        assert screen.main.folders.pair.local == "Sent"
        assert "This PC: Sent (40 mails)" in screen.shown("#heads")
        assert " To " in screen.shown("#heads")
        assert screen.main.panes.count == 40


async def test_all_folders_are_shown_together_at_the_top(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("tab", "home")

        assert screen.main.panes.count == 297


async def test_the_filter_goes_from_all_to_differing_to_missing(opened: Open) -> None:
    async with opened() as screen:
        counts = [screen.main.panes.count]
        for _number in range(3):
            await screen.press("d")
            counts.append(screen.main.panes.count)

        assert counts == [197, 65, 25, 197]


async def test_an_empty_list_says_why(opened: Open) -> None:
    async with opened() as screen:
        await screen.folder("Drafts")
        assert "There is no mail here." in screen.text
        await screen.press("d")
        assert "Nothing differs here." in screen.text


async def test_the_status_line_tells_what_is_true_of_the_row(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("d", "d")
        assert "only on this PC" in screen.shown("#status")


async def test_flags_that_differ_are_named_with_their_side(opened: Open) -> None:
    async with opened() as screen:
        panes = screen.main.panes
        flags = [
            position
            for position in range(panes.count)
            if (row := screen.main.rows.at(panes.ids, position)) and row.relation == Relation.FLAGS
        ]
        panes.move_to(flags[0])
        await screen.pilot.pause()

        assert "other flags differ; there: \\flagged" in screen.shown("#status")


async def test_one_side_alone_has_all_the_width(opened: Open) -> None:
    async with opened(size=(80, 24)) as screen:
        await screen.press("v")
        assert "2026-11-24" in screen.text
        assert "Server:" not in screen.shown("#heads")
        await screen.press("v")
        assert "Server: INBOX" in screen.shown("#heads")


async def test_at_80_columns_the_folders_come_when_they_are_asked_for(opened: Open) -> None:
    async with opened(size=(80, 24)) as screen:
        assert not screen.main.query_one("#left").display
        await screen.press("tab")
        assert screen.main.query_one("#left").display
        assert screen.main.folders.has_focus
        await screen.until(lambda: screen.lines[3].count("Subject") == screen.lines[3].count("From") == 2, "the heads")
        await screen.press("tab")
        assert not screen.main.query_one("#left").display
        assert screen.main.panes.has_focus


async def test_a_screen_that_is_too_small_says_which_size_is_needed(opened: Open) -> None:
    async with opened(size=(38, 9)) as screen:
        assert "40 x 10 are needed" in screen.text
        await screen.pilot.resize_terminal(120, 36)
        await screen.until(lambda: "Storage" in screen.text)


async def test_ascii_signs_where_no_others_can_be_shown(opened: Open) -> None:
    async with opened(signs=ASCII) as screen:
        await screen.press("m")
        assert not any(sign in screen.text for sign in "»«≢⚑▰▱✓◉")
        assert ">" in screen.text


async def test_full_width_letters_are_keys(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("ｍ")
        assert screen.main.selection.count == 25
        await screen.press("escape", "\u3000")
        assert screen.main.selection.count == 1


async def test_help_lists_keys_and_signs(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("question_mark")
        text = await screen.dialog()
        assert "only on this PC" in text
        assert "upload what is selected" in text
        await screen.press("escape")
        await screen.closed()


async def test_the_answers_of_a_long_dialog_stay_in_sight(opened: Open) -> None:
    async with opened(size=(80, 24)) as screen:
        await screen.press("f1")
        await screen.until(lambda: "Close" in screen.text, "the answer")
        first = screen.text
        await screen.press("pagedown")
        await screen.until(lambda: screen.text != first, "the next page")
        assert "Close" in screen.text


async def test_problems_are_listed(opened: Open) -> None:
    async with opened() as screen:
        assert "1 problem" in screen.shown("#title")
        await screen.press("p")
        assert "The file is cut" in await screen.dialog()


async def test_what_an_earlier_move_left_is_told_once(opened: Open) -> None:
    async with opened(left="The upload of yesterday ended early.") as screen:
        assert "ended early" in await screen.dialog()
        await screen.press("escape")
        await screen.closed()
        screen.session.left = ""
        await screen.press("r")
        await screen.idle()
        assert screen.app.screen is screen.main


async def test_it_is_told_too_where_the_server_cannot_be_reached(opened: Open) -> None:
    async with opened(left="It ended early.", errors=[ConnectFailed("No such host.")]) as screen:
        assert "No such host." in await screen.dialog()
        await screen.press("escape")
        await screen.pilot.pause()
        assert "It ended early." in await screen.dialog()


async def test_an_error_at_the_start_can_be_tried_again(opened: Open) -> None:
    async with opened(errors=[ConnectFailed("The server mail.example.jp was not found.")]) as screen:
        assert "mail.example.jp was not found" in await screen.dialog()
        await screen.press("enter")
        await screen.closed()
        await screen.idle()
        assert screen.main.panes.count == 197


async def test_quitting_from_an_error_tells_it_by_the_exit_status(opened: Open) -> None:
    async with opened(errors=[ConnectFailed("No such host.")]) as screen:
        await screen.dialog()
        await screen.press("right", "enter")
        await screen.until(lambda: screen.app.return_code is not None)
        assert screen.app.return_code == 2


async def test_a_line_that_is_cut_while_refreshing_keeps_the_rows(opened: Open) -> None:
    async with opened() as screen:
        screen.session.errors.append(ConnectionLost("The connection was cut."))
        await screen.press("r")
        assert "as it was when both sides were last compared" in await screen.dialog()
        await screen.press("escape")
        await screen.closed()
        assert "not up to date" in screen.shown("#title")
        assert screen.main.panes.count == 197
        assert "Quarterly report" in screen.text


async def test_rows_of_the_last_time_are_there_before_the_first_look_ends(opened: Open) -> None:
    async with opened():
        pass
    async with opened(wait=False, delay=0.5) as screen:
        await screen.pilot.pause()
        assert screen.main.work.busy
        assert screen.main.panes.count == 197
        await screen.press("u")
        assert "wait a moment" in screen.shown("#status")


async def test_quitting_needs_no_question_while_nothing_moves(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("q")
        assert screen.app.return_code == 0


async def test_a_refused_password_is_not_tried_again_by_itself(opened: Open) -> None:
    async with opened(errors=[LoginRefused("wrong user name or password?")]) as screen:
        await screen.dialog()

        assert [answer.label for answer in screen.app.screen.answers] == ["Quit", "Close"]
        assert "no differences" not in screen.text


async def test_heads_stand_over_their_columns_when_the_folder_list_opens(opened: Open) -> None:
    async with opened(size=(80, 24)) as screen:
        assert screen.text.count("Date") == 2
        await screen.press("tab")

        await screen.until(lambda: "Date" not in screen.text, "heads of columns without room for a date")
