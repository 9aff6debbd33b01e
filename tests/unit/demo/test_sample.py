"""The sample is what it says, and a comparison of its two sides finds exactly what was planted."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from email import message_from_bytes
from email.header import decode_header
from pathlib import Path

import pytest
from click.testing import CliRunner

from hikkoshi.cli.main import cli
from hikkoshi.demo.connection import Pace
from hikkoshi.demo.mailboxes import KIB, Account
from hikkoshi.demo.sample import Expected, write_sample
from hikkoshi.demo.start import Demo, start_demo
from hikkoshi.local.detect import open_store
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.flags import SEEN
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem


def account() -> Account:
    return Account("office@example.co.jp", "demo")


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Expected, Account]:
    server = account()
    return write_sample(tmp_path_factory.mktemp("sample"), server), server


@pytest.fixture(scope="module")
def store(written: tuple[Expected, Account]) -> LocalStore:
    return open_store(written[0].profile, login="office@example.co.jp")


def scanned(store: LocalStore) -> dict[str, list[Message]]:
    problems: list[Problem] = []
    found = {folder.name: list(store.scan(folder, problems)) for folder in store.folders() if folder.selectable}
    assert problems == []
    return found


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    one, other = account(), account()
    for name, server in (("a", one), ("b", other)):
        write_sample(tmp_path / name, server)

    assert files(tmp_path / "a") == files(tmp_path / "b")
    for name, mailbox in one.mailboxes.items():
        assert mailbox.messages == other.get(name).messages


def test_the_profile_reads_as_thunderbirds(written: tuple[Expected, Account], store: LocalStore) -> None:
    found = scanned(store)

    assert store.kind == "thunderbird"
    assert set(found) >= {"Inbox", "Sent", "見積", "Projects", "Trash"}
    assert sum(len(found[name]) for name in ("Inbox", "Sent", "見積", "Projects")) >= 300
    assert sum(map(len, found.values())) == written[0].local_messages
    assert sum(1 for mails in found.values() for mail in mails if mail.partial) == 1


def test_read_state_comes_from_fresh_summaries_and_not_from_stale_ones(
    written: tuple[Expected, Account], store: LocalStore
) -> None:
    mail = next((written[0].profile / "Mail").glob("pop*"))
    assert b"X-Mozilla-Status: 0001" not in (mail / "Inbox").read_bytes()
    unread = {
        name: sum(1 for each in mails if SEEN not in each.flags and not each.partial)
        for name, mails in scanned(store).items()
    }

    assert unread == unread | {"Inbox": 8, "Sent": 0, "見積": 0, "Projects": 0}


def test_every_way_to_write_japanese_is_in_it(written: tuple[Expected, Account], store: LocalStore) -> None:
    folder: Folder = next(folder for folder in store.folders() if folder.name == "Inbox")
    mails = [store.read(folder, message.place) for message in store.scan(folder, [])]
    bodies, words, raw = set(), set(), 0
    for mail in mails:
        parsed = message_from_bytes(mail)
        bodies.update(part.get_content_charset() for part in parsed.walk() if part.get_content_maintype() == "text")
        header = mail.partition(b"\n\n")[0]
        raw += not header.isascii() or b"\x1b$" in header
        if header.isascii():
            words.update(charset for _, charset in decode_header(parsed["Subject"]) if charset)

    assert bodies >= {"iso-2022-jp", "shift_jis", "utf-8", "us-ascii"}
    assert words >= {"iso-2022-jp", "shift_jis", "utf-8"}
    assert raw > 10
    assert sum(b"Content-Disposition: attachment" in mail for mail in mails) > 30
    assert any(b"\nFrom here on" in mail for mail in _all(store))


def _all(store: LocalStore) -> Iterator[bytes]:
    for folder in store.folders():
        for message in store.scan(folder, []):
            yield store.read(folder, message.place)


def test_everything_missing_fits_and_the_gauge_rises(written: tuple[Expected, Account]) -> None:
    expected, server = written
    assert server.storage_limit
    before = server.used_storage / server.storage_limit
    after = (server.used_bytes + expected.upload_bytes) / KIB / server.storage_limit

    assert 0.55 < before < 0.7
    assert 0.75 < after < 0.85


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Demo]:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    running = start_demo(pace=Pace())
    yield running
    running.close()


def test_check_finds_exactly_what_was_planted(demo: Demo) -> None:
    options = ["--local", str(demo.local), "--server", demo.url, "--password-command", f"echo {demo.password}"]
    result = CliRunner().invoke(cli, [*options, "check", "--json"])
    said = json.loads(result.stdout)
    expected = asdict(demo.expected)

    assert result.exit_code == 1, result.output
    assert said["differences"] == {name: expected[name] for name in said["differences"]}
    assert said["upload"] == {
        "messages": expected["upload_messages"], "bytes": expected["upload_bytes"], "fits": True,
    }  # fmt: skip
    assert said["local"]["messages"] == expected["local_messages"]
    assert said["server"]["messages"] == expected["server_messages"]
    assert said["problems"] == []


def test_closing_leaves_nothing_behind(demo: Demo) -> None:
    assert demo.url == f"imap://office%40example.co.jp@127.0.0.1:{demo.server.port}"
    demo.close()

    assert not demo.folder.exists()
