"""What may go in a day, and how fast: the installed program against a real Dovecot."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest

from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Mover, held, mail, mails, mover_to, user_of

pytestmark = pytest.mark.dovecot

WAYS = {"together": (), "hurried": ("MULTIAPPEND",), "waiting": ("MULTIAPPEND", "LITERAL+")}


@pytest.fixture(params=WAYS)
def mover(request: pytest.FixtureRequest, dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """A line, and each way of sending in turn."""
    proxy.hidden = WAYS[request.param]
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    return mover


def names(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


def a_day_passes(mover: Mover) -> None:
    with closing(sqlite3.connect(mover.ledger)) as ledger, ledger:
        ledger.execute("UPDATE item SET sent_at = sent_at - 86401")


class TestBudget:
    def test_it_carries_over_starts_and_days_until_all_is_there(self, dovecot: Dovecot, mover: Mover) -> None:
        contents = [mail(f"in-{number}", body="x" * 700 + "\n") for number in range(10)]
        size = len(contents[0].replace(b"\n", b"\r\n"))
        mover.write(Inbox=contents)
        mover.options = ("--daily-budget", str(4 * size + 100))

        plan = mover.run("upload", "--dry-run")
        first = mover.run("upload", "--yes", "--json")
        receipt = json.loads(first.stdout)
        again = mover.run("upload", "--yes")
        a_day_passes(mover)
        second = json.loads(mover.run("resume", "--yes", "--json").stdout)
        a_day_passes(mover)
        third = json.loads(mover.run("upload", "--yes", "--json").stdout)

        assert "The plan takes 3 days" in plan.stdout
        assert (first.returncode, receipt["state"], receipt["moved"]["messages"]) == (1, "budget-spent", 4)
        assert receipt["moved"]["read_back"] == 4
        assert receipt["goes_on_at"].endswith("+00:00")
        assert "The rest goes on t" in receipt["problem"]  # today or tomorrow
        assert again.returncode == 2
        assert "None of the mail fits into what is left" in again.stderr
        assert (second["state"], len(names(dovecot, mover))) == ("budget-spent", 10) or second["moved"]["messages"] >= 4
        assert third["state"] == "done"
        assert names(dovecot, mover) == sorted(f"in-{number}" for number in range(10))

    def test_a_mail_larger_than_the_whole_budget_stops_no_other(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.write(Inbox=[mail("small"), mail("large", body="too large\n" * 900), mail("other")])
        mover.options = ("--daily-budget", "4K")
        receipt = json.loads(mover.run("upload", "--yes", "--json").stdout)

        assert [each["subject"] for each in receipt["not_moved"]] == ["large"]
        assert "larger than the 4,096 bytes that may go up in a day" in receipt["not_moved"][0]["reason"]
        assert names(dovecot, mover) == ["other", "small"]

    def test_small_mails_go_beside_large_ones_and_the_days_are_those_that_it_takes(
        self, dovecot: Dovecot, mover: Mover
    ) -> None:
        large = [mail(f"large-{number}", body="x" * 3000 + "\n") for number in range(3)]
        mover.write(Inbox=[*large, mail("too-large", body="x" * 6000 + "\n"), *mails("in", 3)], Other=mails("o", 1))
        mover.options = ("--daily-budget", "5000")
        dry = mover.run("upload", "--dry-run")
        first = json.loads(mover.run("upload", "--yes", "--json").stdout)
        first_names, listed = names(dovecot, mover), mover.run("moves").stdout
        states = []
        for _day in range(2):
            a_day_passes(mover)
            states.append(json.loads(mover.run("resume", "--yes", "--json").stdout)["state"])

        assert "The plan takes 3 days" in dry.stdout
        assert "Not moved: Inbox: too-large: it is larger than the 5,000 bytes that may go up in a day" in dry.stderr
        assert first["state"] == "budget-spent"
        assert first_names == ["in-0", "in-1", "in-2", "large-0", "o-0"]
        assert "ended early (the day's budget was spent)" in listed
        assert states == ["budget-spent", "done"]
        assert names(dovecot, mover) == ["in-0", "in-1", "in-2", "large-0", "large-1", "large-2", "o-0"]

    def test_it_can_be_switched_off_on_gmail(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        proxy.shown = ("X-GM-EXT-1",)
        mover.write(Inbox=mails("in", 3))
        with_one, without = mover.run("upload", "--dry-run"), mover.run("--daily-budget", "none", "upload", "--dry-run")

        assert "476.8 MiB of the 476.8 MiB that may go in 24 hours are left." in with_one.stdout
        assert "24 hours" not in without.stdout
        assert mover.run("upload", "--yes").returncode == 0
        assert names(dovecot, mover) == ["in-0", "in-1", "in-2"]


class TestCaps:
    @pytest.mark.parametrize("count", [1, 30])
    def test_bytes_a_second(self, dovecot: Dovecot, mover: Mover, count: int) -> None:
        """One large mail, or many: each takes as long as its bytes at that rate, and not much longer."""
        size = 1_200_000
        body = ("x" * 70 + "\n") * (size // 71 // count)
        mover.write(Inbox=[mail(f"in-{number}", body=body) for number in range(count)])
        began = monotonic()
        mover.run("upload", "--dry-run")
        looking = monotonic() - began
        began = monotonic()
        done = mover.run("upload", "--yes", "--max-rate", "400K")
        took = monotonic() - began - looking

        assert (done.returncode, done.stderr) == (0, "")
        least = size / (400 * 1024) - 0.25
        assert 0.8 * least < took < 3 * least + 2
        assert len(names(dovecot, mover)) == count

    def test_mails_a_second(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.write(Inbox=mails("in", 21))
        began = monotonic()
        mover.run("upload", "--dry-run")
        looking = monotonic() - began
        began = monotonic()
        done = mover.run("upload", "--yes", "--max-mails", "10")
        took = monotonic() - began - looking

        assert (done.returncode, done.stderr) == (0, "")
        assert 1.6 < took < 8
        assert len(names(dovecot, mover)) == 21

    @pytest.mark.parametrize(
        "options",
        [
            ("--daily-budget", "0"),
            ("--daily-budget", "0K"),
            ("--max-rate", "0"),
            ("--max-rate", "fast"),
            ("--max-mails", "0"),
            ("--max-mails", "-1"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, dovecot: Dovecot, mover: Mover, options: tuple[str, str]) -> None:
        mover.write(Inbox=mails("in", 1))
        done = mover.run("upload", "--yes", *options)
        assert done.returncode == 2
        assert done.stderr
        assert names(dovecot, mover) == []
