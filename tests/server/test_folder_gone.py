"""A folder that another client deletes while mail is sent into it: it is made again, and what went with it is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession
from hikkoshi.jobs.cancel import Cancel
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import IMPATIENT, Mover, held, mails, mover_to, user_of

pytestmark = pytest.mark.dovecot

WAYS = {"together": (), "hurried": ("MULTIAPPEND",), "waiting": ("MULTIAPPEND", "LITERAL+")}
COUNT = 250
ALL = sorted(f"in-{number}" for number in range(COUNT))


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """Mail for one folder that is to be made."""
    mover = mover_to(dovecot, tmp_path)
    mover.program = IMPATIENT
    mover.go_through(proxy)
    mover.write(Reports=mails("in", COUNT))
    return mover


def other_client(dovecot: Dovecot, mover: Mover) -> IMAPClient:
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user_of(mover), dovecot.password)
    return client


def once(proxy: FaultProxy, number: int, do: Callable[[], object]) -> None:
    """Do something before the answer to the `number`-th APPEND goes on."""
    seen = 0

    def change(line: bytes) -> bytes:
        nonlocal seen
        seen += b"APPENDUID" in line
        if b"APPENDUID" in line and seen == number:
            do()
        return line

    proxy.change = change


def delete(dovecot: Dovecot, mover: Mover, name: str) -> Callable[[], object]:
    def do() -> None:
        with other_client(dovecot, mover) as client:
            for _ in range(50):
                try:
                    client.delete_folder(name)
                except IMAPClientError as error:
                    if "during deletion" not in str(error):  # it is being filled
                        raise
                else:
                    return

    return do


@pytest.mark.parametrize("way", WAYS)
def test_what_is_left_goes_into_the_folder_made_again(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
) -> None:
    proxy.hidden = WAYS[way]
    once(proxy, 2, delete(dovecot, mover, "Reports"))
    done = mover.run("upload", "--yes", "--json")
    receipt = json.loads(done.stdout)

    there = [each.name for each in held(dovecot.mail_dir(user_of(mover)))]
    gone = [each for each in receipt["not_moved"] if "folder was deleted" in each["reason"]]
    assert (done.returncode, receipt["state"]) == (1, "done")
    assert 0 < len(gone) < COUNT
    assert len(gone) == len(receipt["not_moved"])
    # Each mail is there once, or named as gone with its folder; what is counted is what is there.
    assert sorted([*there, *(each["subject"] for each in gone)]) == ALL
    assert receipt["moved"] == {
        "messages": len(there), "bytes": receipt["moved"]["bytes"], "read_back": len(there),
    }  # fmt: skip
    with other_client(dovecot, mover) as client:
        assert "Reports" in {name for _flags, _delimiter, name in client.list_sub_folders()}


@pytest.mark.parametrize("way", WAYS)
def test_a_later_look_knows_what_is_there_now(dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str) -> None:
    """What went with the folder counts as missing again, and goes up when the user says so."""
    proxy.hidden = WAYS[way]
    once(proxy, 2, delete(dovecot, mover, "Reports"))
    first = json.loads(mover.run("upload", "--yes", "--json").stdout)
    proxy.change = None
    again = json.loads(mover.run("upload", "--yes", "--json").stdout)

    assert again["moved"]["messages"] == len(first["not_moved"])
    assert sorted(each.name for each in held(dovecot.mail_dir(user_of(mover)))) == ALL


def test_the_comparison_behind_the_move_counts_it_as_missing(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    proxy.hidden = WAYS["waiting"]
    options = Options(mover.store, parse_address(mover.url))
    session = AccountSession(
        options, AccountSession.open_store(options), mover.password, files_in(mover.folder / "own")
    )
    session.refresh(lambda _: None, Cancel())
    once(proxy, 2, delete(dovecot, mover, "Reports"))
    receipt = session.upload(session.plan(), lambda _: None, Cancel())

    assert receipt.doubtful
    assert session.snapshot is not None
    assert session.snapshot.counts.only_local == len(receipt.doubtful)
    assert session.snapshot.server_total[1] == receipt.landed


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_in_between_loses_and_doubles_nothing(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
) -> None:
    proxy.hidden = WAYS[way]

    def harm() -> None:
        delete(dovecot, mover, "Reports")()
        proxy.cut_after(down=0, once=True)

    once(proxy, 2, harm)
    done = mover.run("upload", "--yes", "--json")
    receipt = json.loads(done.stdout)

    there = [each.name for each in held(dovecot.mail_dir(user_of(mover)))]
    assert receipt["state"] == "done"
    assert sorted([*there, *(each["subject"] for each in receipt["not_moved"])]) == ALL
    assert all("folder was deleted" in each["reason"] for each in receipt["not_moved"])


def test_a_folder_that_is_deleted_again_and_again_moves_nothing_and_says_so(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover
) -> None:
    def change(line: bytes) -> bytes:
        if b"APPENDUID" in line:
            delete(dovecot, mover, "Reports")()
        return line

    proxy.hidden = WAYS["waiting"]
    proxy.change = change
    mover.write(Reports=mails("in", 6))
    done = mover.run("upload", "--yes", "--json")
    receipt = json.loads(done.stdout)

    assert done.returncode == 1
    # The last one that arrived cannot be read back any more, and is named so.
    assert len(receipt["not_moved"]) + receipt["moved"]["messages"] == 6
    assert receipt["moved"]["messages"] <= 1
    assert receipt["moved"]["read_back"] == 0
    assert held(dovecot.mail_dir(user_of(mover))) == []
