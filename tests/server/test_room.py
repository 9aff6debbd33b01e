"""`hikkoshi upload` where not all fits, where the quota is not known, where sizes are refused: against a real server."""

import json
import os
import pty
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hikkoshi.ledger.store import Ledger
from hikkoshi.move.limits import REFUSED
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.moving import Mover, held, mail, mails, mover_to, user_of

pytestmark = pytest.mark.dovecot

Start = Callable[[Settings], Dovecot]
BIG = "x" * 78 + "\n"  # 80 bytes on the server


def names(dovecot: Dovecot, mover: Mover) -> list[str]:
    return sorted(each.name for each in held(dovecot.mail_dir(user_of(mover))))


def dated(name: str, year: int, *, body: str = "hello\n") -> bytes:
    """A mail that came in the May of `year`."""
    return mail(name, body=body).replace(b"Jan 2024", b"May %d" % year)


def plan_of(mover: Mover, *arguments: str) -> dict:
    return json.loads(mover.run("upload", "--dry-run", "--json", *arguments).stdout)["plan"]


def fill_store(mover: Mover) -> None:
    """Six mails of some 16 and 32 KiB, 112 KiB in all, in three folders and four years."""
    mover.write(
        Inbox=[dated("in-2021", 2021, body=BIG * 400), dated("in-2024", 2024, body=BIG * 200)],
        Sent=[dated("sent-2022", 2022, body=BIG * 200), dated("sent-2020", 2020, body=BIG * 200)],
        Work=[dated("work-2024", 2024, body=BIG * 200)],
    )


FITTING = {
    "newest": ["in-2024", "sent-2022", "work-2024"],
    "smallest": ["in-2024", "sent-2022", "sent-2020", "work-2024"],
    "folder": ["sent-2022", "sent-2020", "work-2024"],
    "year": ["in-2024", "sent-2022", "sent-2020", "work-2024"],
}


@pytest.fixture
def tight(dovecot_with: Start) -> Dovecot:
    """80 KiB of room: four of the mails of 16 KiB, and not the large one with three of them."""
    return dovecot_with(Settings(quota_storage="80k"))


@pytest.mark.parametrize("fit", list(FITTING))
def test_the_part_that_fits_goes_and_the_rest_is_told(tight: Dovecot, tmp_path: Path, fit: str) -> None:
    mover = mover_to(tight, tmp_path)
    fill_store(mover)

    whole = mover.run("upload", "--yes")
    done = mover.run("upload", "--yes", "--fit", fit, "--json")
    found = json.loads(done.stdout)

    assert (whole.returncode, "nothing was sent" in whole.stderr) == (3, True)
    (offered,) = [line for line in whole.stdout.splitlines() if f"--fit {fit} " in line]
    assert f"{len(FITTING[fit])} mails" in offered
    assert names(tight, mover) == sorted(FITTING[fit])
    assert (done.returncode, found["state"], found["plan"]["fit"]) == (1, "done", fit)
    assert found["plan"]["left_out"]["messages"] == 5 - len(FITTING[fit])
    assert "Left out for lack of room" in done.stderr


def test_the_receipt_names_what_was_left_out_and_only_another_upload_sends_it(tight: Dovecot, tmp_path: Path) -> None:
    mover = mover_to(tight, tmp_path)
    fill_store(mover)
    done = mover.run("upload", "--yes", "--fit", "newest")
    receipt = json.loads(mover.run("moves", "1", "--json").stdout)["receipt"]
    mover.run("resume", "1", "--yes")

    left = {each["subject"]: (each["state"], each["reason"]) for each in receipt if each["fate"] == "not-moved"}
    reason = "it was left out for lack of room; another upload with more room sends it"
    assert left == dict.fromkeys(("in-2021", "sent-2020"), ("refused", reason))
    assert "“hikkoshi moves 1” names each of them" in done.stderr
    assert "in-2021" not in done.stdout + done.stderr
    assert "2 left out by the plan" in mover.run("moves").stdout
    assert names(tight, mover) == FITTING["newest"]
    assert plan_of(mover)["messages"] == 2


def test_a_dry_run_tells_what_is_missing_and_what_would_fit(tight: Dovecot, tmp_path: Path) -> None:
    mover = mover_to(tight, tmp_path)
    fill_store(mover)

    dry = mover.run("upload", "--dry-run")
    plan = plan_of(mover)
    part = plan_of(mover, "--fit", "folder")

    assert dry.returncode == 3
    assert "Under “User quota” room is missing for " in dry.stdout
    assert [line.split()[1] for line in dry.stdout.splitlines() if line.startswith("  --fit")] == list(FITTING)
    assert "from 2022-05-0" in dry.stdout
    assert "Sent, Work" in dry.stdout
    assert "the years 2024, 2022, 2020" in dry.stdout
    (missing,) = plan["missing"]
    assert (missing["root"], missing["resource"]) == ("User quota", "STORAGE")
    assert missing["missing"] == plan["bytes"] - (80 * 1024 - 4096 - 2 * 1023)
    offers = {offer["fit"]: offer for offer in plan["offers"]}
    assert offers["newest"]["since"] == "2022-05-02T12:00:00+00:00"
    assert offers["folder"]["folders"] == ["Sent", "Work"]
    assert offers["year"]["years"] == [2024, 2022, 2020]
    assert all(offer["messages"] + offer["left_out"]["messages"] == 5 for offer in offers.values())
    assert (part["fits"], part["fit"], part["missing"], part["offers"]) == (True, "folder", [], [])
    assert names(tight, mover) == []


def test_where_all_fits_a_wish_for_a_part_takes_all(dovecot: Dovecot, tmp_path: Path) -> None:
    mover = mover_to(dovecot, tmp_path)
    fill_store(mover)
    done = mover.run("upload", "--yes", "--fit", "newest")
    assert (done.returncode, done.stderr, len(names(dovecot, mover))) == (0, "", 5)


def test_where_nothing_fits_nothing_is_offered(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota_storage="10k"))
    mover = mover_to(dovecot, tmp_path)
    fill_store(mover)
    done = mover.run("upload", "--yes", "--fit", "newest")
    assert (done.returncode, "--fit newest" in done.stdout, names(dovecot, mover)) == (3, False, [])


@pytest.mark.parametrize("driver", ["maildir", "sdbox"])
def test_what_fits_to_the_last_byte_is_taken_by_the_server(dovecot_with: Start, tmp_path: Path, driver: str) -> None:
    """The largest plan that is called fitting, and one byte more: the first is never refused."""
    dovecot = dovecot_with(Settings(quota_storage="100k", quota_messages=8, driver=driver))
    mover = mover_to(dovecot, tmp_path, "--reserve", "0")
    room = 100 * 1024 - 2 * 1023
    content = [mail(f"in-{n}", body=BIG * 140) for n in range(7)]
    used = sum(len(each) + each.count(b"\n") for each in content)
    last = mail("last")
    last += b"y" * (room - used - len(last) - last.count(b"\n") - 2) + b"\n"

    mover.write(Inbox=[*content, last.replace(b"yy\n", b"yyy\n")])
    over = plan_of(mover)
    mover.write(Inbox=[*content, last])
    fits = plan_of(mover)
    done = json.loads(mover.run("upload", "--yes", "--json").stdout)

    assert (over["bytes"] - fits["bytes"], over["fits"], fits["fits"]) == (1, False, True)
    assert (done["state"], done["moved"]["messages"], done["not_moved"]) == ("done", 8, [])


def test_two_roots_over_one_folder_both_count(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota_storage="100k", second_storage="50k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail(f"in-{n}", body=BIG * 200) for n in range(3)], New=[mail("new")])

    plan = plan_of(mover)
    done = mover.run("upload", "--yes", "--fit", "smallest", "--json")

    assert [each["root"] for each in plan["missing"]] == ["Second quota"]
    assert json.loads(done.stdout)["moved"]["messages"] == 3
    assert len(names(dovecot, mover)) == 3


def test_a_folder_with_a_root_of_its_own_counts_in_that_alone(dovecot_with: Start, tmp_path: Path) -> None:
    """Folders that are not there yet included."""
    dovecot = dovecot_with(Settings(quota_storage="1M", work_storage="40k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(
        Inbox=[mail(f"in-{n}", body=BIG * 400) for n in range(3)],
        **{"Work.sbd__2024": [mail(f"work-{n}", body=BIG * 150) for n in range(4)]},
    )

    plan = plan_of(mover)
    part = plan_of(mover, "--fit", "smallest")

    assert [each["root"] for each in plan["missing"]] == ["Work quota"]
    assert {each["server"]: each["messages"] for each in part["folders"]} == {"INBOX": 3, "Work/2024": 3}
    done = json.loads(mover.run("upload", "--yes", "--json", "--fit", "smallest").stdout)
    assert (done["state"], done["moved"]["messages"]) == ("done", 6)


def recently(name: str, days_ago: float, size: int) -> bytes:
    when = datetime.now(UTC) - timedelta(days=days_ago)
    content = mail(name, body="x" * 998 + "\n")
    content = content.replace(b"2 Jan 2024 12:00:00", when.strftime("%-d %b %Y %H:%M:%S").encode())
    return content + (b"y" * 78 + b"\n") * ((size - len(content)) // 80)


def test_what_comes_in_within_thirty_days_is_kept_free(dovecot_with: Start, tmp_path: Path) -> None:
    """Of the PC's mail too, which a POP client has taken off the server; unless a reserve was asked for."""
    dovecot = dovecot_with(Settings(quota_storage="200k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(
        Inbox=[recently("new", 3, 60_000)], Sent=[recently("mine", 2, 30_000)], Old=[mail("old", body=BIG * 1000)]
    )

    dry = mover.run("upload", "--dry-run")
    (reserve,) = plan_of(mover)["reserve"]
    (asked,) = plan_of(mover, "--reserve", "5%")["reserve"]

    assert reserve["from"] == "incoming"
    assert 59_900 <= reserve["reserve"] < 62_000
    assert "kept free: your last 30 days of incoming mail" in dry.stdout
    assert dry.returncode == 3
    assert (asked["from"], asked["reserve"]) == ("percent", 10 * 1024)
    assert mover.run("upload", "--dry-run", "--reserve", "5%").returncode == 0


def in_a_terminal(mover: Mover, answers: bytes, *arguments: str) -> tuple[int, str]:
    """Run it with somebody at the keyboard; exit status and all that was said."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            mover.command(*arguments), env=mover.environment(), stdin=theirs, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8",
        )  # fmt: skip
        os.write(ours, answers)
        said, _ = process.communicate(timeout=60)
    finally:
        os.close(theirs)
        os.close(ours)
    return process.returncode, said


def test_a_person_is_asked_about_a_quota_that_nobody_knows(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota=False))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=mails("in", 1))

    refused, said = in_a_terminal(mover, b"n\n", "upload")
    assert (refused, names(dovecot, mover)) == (2, [])
    assert "does not tell its quota" in said
    assert "Upload all the same?" in said
    assert mover.run("upload", "--yes").returncode == 2, "--yes alone is not enough"
    assert mover.run("upload").returncode == 2
    assert names(dovecot, mover) == []

    agreed, said = in_a_terminal(mover, b"y\n", "upload")
    assert (agreed, names(dovecot, mover)) == (0, ["in-0"])
    mover.write(Inbox=mails("in", 2))
    waived, said = in_a_terminal(mover, b"y\n", "upload", "--no-quota-check")
    assert (waived, "does not tell its quota" in said, "Upload now?" in said) == (0, False, True)
    assert names(dovecot, mover) == ["in-0", "in-1"]


def test_the_servers_own_sum_counts_against_a_limit_of_ones_own(dovecot_with: Start, tmp_path: Path) -> None:
    """STATUS=SIZE, asked for where there is no QUOTA and a limit was set; with it, and by the listing alone."""
    for number, more in enumerate((" STATUS=SIZE LIST-STATUS", " STATUS=SIZE", "")):
        dovecot = dovecot_with(Settings(quota=False, capability="IMAP4rev1 NAMESPACE UIDPLUS LITERAL+" + more))
        (tmp_path / str(number)).mkdir()
        mover = mover_to(dovecot, tmp_path / str(number), "--reserve", "0")
        mover.write(Inbox=[mail("in-0", body=BIG * 200)])
        assert mover.run("upload", "--yes", "--no-quota-check").returncode == 0
        mover.write(Inbox=[mail("in-0", body=BIG * 200), mail("in-1", body=BIG * 100)])

        assert mover.run("upload", "--yes", "--quota-limit", "24000").returncode == 3
        done = json.loads(mover.run("upload", "--yes", "--quota-limit", "25000", "--json").stdout)

        assert (done["moved"]["messages"], done["quota"][0]["source"]) == (1, "user")
        assert 24_000 < done["quota"][0]["used"] < 25_000
        assert len(names(dovecot, mover)) == 2


def test_a_size_that_was_refused_is_learnt_told_and_not_sent_again(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(max_mail="10k"))
    mover = mover_to(dovecot, tmp_path)
    large, larger = mail("large", body=BIG * 200), mail("larger", body=BIG * 300)
    mover.write(Inbox=[mail("first"), larger, large, mail("last")])

    done = json.loads(mover.run("upload", "--yes", "--json").stdout)
    assert sorted(each["subject"] for each in done["not_moved"]) == ["large", "larger"]
    size = len(large) + large.count(b"\n")
    mover.write(Inbox=[mail("first"), larger, large, mail("last"), mail("smaller", body=BIG * 100)])
    dry = mover.run("upload", "--dry-run")
    again = json.loads(mover.run("upload", "--yes", "--json").stdout)

    assert f"the server refused a mail of {size:,} bytes" in dry.stderr
    assert (again["plan"]["messages"], again["moved"]["messages"]) == (1, 1)
    assert sorted(each["subject"] for each in again["not_moved"]) == ["large", "larger"]
    assert all("refused a mail of" in each["reason"] for each in again["not_moved"])
    tried = json.loads(mover.run("upload", "--yes", "--json", "--retry-refused").stdout)
    assert (tried["plan"]["messages"], tried["moved"]["messages"]) == (2, 0)
    assert all("The server says" in each["reason"] for each in tried["not_moved"])
    assert names(dovecot, mover) == ["first", "last", "smaller"]


def test_a_size_is_forgotten_once_as_large_a_mail_lands(dovecot: Dovecot, tmp_path: Path) -> None:
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=mails("in", 1))
    assert mover.run("upload", "--yes").returncode == 0
    server = f"{user_of(mover)}@{dovecot.host}"
    with Ledger(mover.ledger) as ledger:
        ledger.learn(server, REFUSED, 5000)
    mover.write(Inbox=[*mails("in", 1), mail("large", body=BIG * 100)])

    assert mover.run("upload", "--yes").returncode == 1
    assert mover.run("upload", "--yes", "--retry-refused").returncode == 0
    with Ledger(mover.ledger) as ledger:
        assert REFUSED not in ledger.learnt(server)
    assert names(dovecot, mover) == ["in-0", "large"]
