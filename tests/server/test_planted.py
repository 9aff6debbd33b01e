"""The main job on 2,000 mails: every planted difference is found, and an upload brings exactly what is missing."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.imap_utf7 import decode

from support.command import Hikkoshi
from support.dovecot import Dovecot
from support.planted_profile import Planted, Planter

TOKEN = re.compile(rb"token-\d{6}-planted")
LETTERS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "D": "\\Draft", "T": "\\Deleted"}

pytestmark = pytest.mark.dovecot


def server_mails(maildir: Path) -> list[tuple[str, bytes, int, frozenset[str]]]:
    """(folder, content with CRLF, time, flags) of every mail, as Dovecot's own files have them."""
    found = []
    for path in maildir.rglob("*"):
        if path.parent.name not in ("cur", "new") or not path.is_file():
            continue
        directory = path.parent.parent
        folder = "INBOX" if directory == maildir else decode(directory.name[1:].encode()).replace(".", "/")
        keywords = {}
        if (directory / "dovecot-keywords").exists():
            lines = (directory / "dovecot-keywords").read_text().splitlines()
            keywords = {chr(97 + int(line.split()[0])): line.split()[1] for line in lines}
        letters = path.name.partition(":2,")[2]
        flags = frozenset({**LETTERS, **keywords}[letter] for letter in letters)
        found.append((folder, path.read_bytes().replace(b"\n", b"\r\n"), int(path.stat().st_mtime), flags))
    return found


def fingerprint(root: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def planted(dovecot: Dovecot, tmp_path: Path) -> tuple[Planted, str]:
    user = dovecot.make_user("tanaka")
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user, dovecot.password)
        return Planter(client, tmp_path / "thunderbird").plant(), user


def test_every_difference_is_found_and_an_upload_brings_what_is_missing(
    planted: tuple[Planted, str], dovecot: Dovecot, tmp_path: Path
) -> None:
    plan, user = planted
    before = fingerprint(plan.profile)
    program = Hikkoshi(tmp_path / "home", plan.profile, dovecot, user, ("--local-account", "tanaka"))

    first = program.run("check", "--json")
    found = json.loads(first.stdout)

    assert (first.returncode, first.stderr) == (1, "")
    assert dict(plan.counts) == {name: count for name, count in found["differences"].items() if count}
    assert set(plan.counts) == set(found["differences"]), "every kind of relation is planted"
    assert plan.live == found["local"]["messages"] == 2000
    assert len(found["folders"]) == len({(row["local"], row["server"]) for row in found["folders"]})
    assert 12 == found["local"]["folders"] == sum(1 for row in found["folders"] if row["local"])
    for name, count in found["differences"].items():
        assert count == sum(row[name] for row in found["folders"])
    assert plan.server_messages == found["server"]["messages"]
    assert len(plan.uploads) == found["upload"]["messages"]
    assert sum(len(each.content) for each in plan.uploads) == found["upload"]["bytes"]
    assert plan.server_messages == len(server_mails(dovecot.mail_dir(user))), "looking changes nothing"

    uploaded = program.run("upload", "--yes")

    assert uploaded.returncode == 0, uploaded.stderr
    again = json.loads(program.run("check", "--json").stdout)
    assert (again["differences"]["sent_gap"], again["differences"]["only_local"]) == (0, 0)
    there = server_mails(dovecot.mail_dir(user))
    expected = plan.tokens_on_server + Counter(each.token for each in plan.uploads)
    assert expected == Counter(TOKEN.search(content)[0] for _folder, content, _time, _flags in there)  # type: ignore[index]
    exact = {(folder, content): (time, flags) for folder, content, time, flags in there}
    for each in plan.uploads:
        assert (int(each.when.timestamp()), each.flags) == exact[each.folder, each.content]

    second = json.loads(program.run("upload", "--yes", "--json").stdout)

    assert (second["plan"]["messages"], second["moved"]["messages"]) == (0, 0)
    assert len(there) == len(server_mails(dovecot.mail_dir(user)))
    assert before == fingerprint(plan.profile), "the profile's files are untouched"
