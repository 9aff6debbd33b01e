"""What `make bench-quick` holds: counted figures of the program's structure, each with its limit in limits.toml.

Nothing here is timed, so a busy machine makes no difference: modules, round trips, bytes, SQLite's steps, rows. What
should not depend on the number of mails is counted with two numbers of mails, and the difference has the limit.
Ends with 1 where a limit is passed.
"""

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from support import corpora, servers
from support.counting import Counts, Database, count
from support.dovecot import Dovecot
from support.figures import Figure, Report, text_table
from support.imports import LISTING, loaded, unwanted
from support.proxy import Proxied, Record
from support.repository import BENCHMARKS, HIKKOSHI, PYTHON
from support.script import machine
from support.timing import run
from support.tools import NotHad

_FEW, _MANY = 500, 2_000
_UPLOADED = 120
_RTT = 30
"""Milliseconds at the proxy that counts round trips."""
_ONE_MORE = (
    b"From - Sat Mar  9 12:30:05 2024\nDate: Sat, 9 Mar 2024 21:30:05 +0900\nFrom: Taro <taro@example.jp>\n"
    b"To: office@example.jp\nSubject: one more\nMessage-ID: <one.more@example.jp>\n\nIt has just come.\n\n"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """One check: what went over the line, and what the program did."""

    line: Record
    did: Counts

    @property
    def index(self) -> Database:
        """What was done in the index."""
        return self.did.databases["index.sqlite"]


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks of one account: with no index, with nothing changed, with one more mail in its mbox."""

    first: Looked
    unchanged: Looked
    appended: Looked


def counted(work: Path) -> Iterator[tuple[str, float, str]]:
    """(key in limits.toml, value, what was counted)."""
    yield from _modules()
    try:
        with servers.dovecot() as server:
            few, many = (_checks(server, work / str(mails), mails) for mails in (_FEW, _MANY))
            yield from _loaded(few)
            yield from _line(few, many)
            yield from _work(few, many)
            yield from _upload(server, work / "upload")
    except NotHad as reason:
        print(f"bench-quick: what needs a server is left out: {reason}", file=sys.stderr)


def _modules() -> Iterator[tuple[str, float, str]]:
    bare = loaded(run([PYTHON, "-c", "pass"], environment=LISTING).errors)
    for key, words in (("modules-version", ["--version"]), ("modules-help", ["check", "--help"])):
        modules = loaded(run([HIKKOSHI, *words], environment=LISTING).errors) - bare
        yield key, len(modules), f"modules that hikkoshi {' '.join(words)} loads beyond those of an empty Python"
        found = unwanted(modules)
        yield "unwanted", len(found), _named(f"unwanted modules of hikkoshi {' '.join(words)}", found)


def _named(what: str, found: set[str]) -> str:
    return f"{what}: {', '.join(sorted(found))}" if found else what


def _checks(server: Dovecot, folder: Path, mails: int) -> Checks:
    """The three checks, all at one address: the index belongs to it."""
    folder.mkdir()
    kind = corpora.small(mails)
    account = servers.account(server, {"INBOX": kind.mails()})
    store = folder / "Inbox"
    corpora.write_mbox(store, kind.mails())
    with Proxied(server.imap_port, rtt=_RTT) as proxy:
        words: list[str | Path] = [
            "check", "--json", "--local", store, "--server", f"imap://{account.user}@127.0.0.1:{proxy.port}",
            "--password-command", f"echo {account.password}",
        ]  # fmt: skip

        def look() -> Looked:
            did = count(folder / "home", *words)
            return Looked(proxy.take(), did)

        first = look()
        look()  # what a first check leaves to a second one is done
        unchanged = look()
        with store.open("ab") as file:
            file.write(_ONE_MORE)
        return Checks(first, unchanged, look())


def _loaded(few: Checks) -> Iterator[tuple[str, float, str]]:
    modules = set(few.unchanged.did.modules)
    yield "modules-check", len(modules), "modules that an unchanged check has loaded, those of Python included"
    found = unwanted(modules)
    yield "unwanted", len(found), _named("unwanted modules of an unchanged check", found)
    yield "dataclasses-check", few.unchanged.did.dataclasses, "dataclasses made by an unchanged check"
    yield "patterns-check", few.unchanged.did.patterns, "regular expressions compiled by an unchanged check"


def _line(few: Checks, many: Checks) -> Iterator[tuple[str, float, str]]:
    more = _MANY - _FEW
    yield "round-trips-unchanged", many.unchanged.line.round_trips, "round trips after the greeting, nothing changed"
    yield "round-trips-first", many.first.line.round_trips, "round trips after the greeting, first check"
    yield "connections", many.unchanged.line.connections, "connections of an unchanged check"
    yield "sent-unchanged", many.unchanged.line.up, "bytes sent by an unchanged check"
    yield "received-unchanged", many.unchanged.line.down, "bytes received by an unchanged check"
    received = (many.unchanged.line.down - few.unchanged.line.down) / more
    yield "received-unchanged-a-mail", received, "bytes received for each further mail, nothing changed"
    received = (many.first.line.down - few.first.line.down) / more
    yield "received-first-a-mail", received, "bytes received for each further mail, first check"


def _work(few: Checks, many: Checks) -> Iterator[tuple[str, float, str]]:
    more = _MANY - _FEW
    yield "rows-written-unchanged", many.unchanged.index.changes, "rows written to the index, nothing changed"
    steps = (many.unchanged.index.steps - few.unchanged.index.steps) / more
    yield "steps-unchanged-a-mail", steps, "steps of SQLite in the index for each further mail, nothing changed"
    read = (many.unchanged.did.read - few.unchanged.did.read) / more
    yield "read-unchanged-a-mail", read, "bytes read from files for each further mail, nothing changed"
    changed = (many.appended.index.changes - many.unchanged.index.changes) / 1
    yield "rows-written-appended", changed, "rows written to the index for one appended mail"
    steps = (many.appended.index.steps - few.appended.index.steps) / more
    yield "steps-appended-a-mail", steps, "steps of SQLite in the index for each further mail, one mail appended"
    read = (many.appended.did.read - few.appended.did.read) / more
    yield "read-appended-a-mail", read, "bytes read from files for each further mail, one mail appended"


def _upload(server: Dovecot, folder: Path) -> Iterator[tuple[str, float, str]]:
    folder.mkdir()
    account = servers.account(server, {})
    store = folder / "Inbox"
    kind = corpora.small(_UPLOADED)
    corpora.write_mbox(store, kind.mails())
    size = sum(mail.crlf_size for mail in kind.mails())
    with Proxied(server.imap_port, rtt=_RTT) as proxy:
        did = count(
            folder / "home", "upload", "--yes", "--local", store, "--server",
            f"imap://{account.user}@127.0.0.1:{proxy.port}", "--password-command", f"echo {account.password}",
            "--no-quota-check", statuses=(0,),
        )  # fmt: skip
        line = proxy.take()
    yield "round-trips-upload", line.round_trips, f"round trips of an upload of {_UPLOADED} mails, check included"
    commits = did.databases["ledger.sqlite"].commits / _UPLOADED
    yield "commits-upload-a-mail", commits, "transactions of the ledger for each uploaded mail"
    yield "sent-upload-a-mail", (line.up - size) / _UPLOADED, "bytes sent for each uploaded mail beyond the mail itself"


class Limit(msgspec.Struct, forbid_unknown_fields=True):
    """What a figure may be at most, and why so much."""

    limit: float
    reason: str


def limits() -> dict[str, Limit]:
    """The limits by key."""
    return msgspec.convert(tomllib.loads((BENCHMARKS / "limits.toml").read_text()), dict[str, Limit])


def figure(value: float, what: str, limit: Limit) -> Figure:
    """The figure; a limit of 0 is compared as if it were one half, since a count has no ratio to 0."""
    ratio = round(value / (limit.limit or 0.5), 4)
    how = f"at most {limit.limit:g}: {limit.reason}"
    return Figure(what, round(value, 2), None, None, ratio, 1.0, "lower", value <= limit.limit, 1, how)


def main() -> None:
    """Count, print, and fail where a limit is passed."""
    parser = argparse.ArgumentParser(prog="benchmarks/structural.py")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    known = limits()
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as work:
        figures = [figure(value, what, known[key]) for key, value, what in counted(Path(work))]
    if given.json:
        print(msgspec.json.encode(Report("structural", machine(), figures)).decode())
    else:
        print(text_table(figures))
    passed = [each for each in figures if not each.holds]
    for each in passed:
        print(f"bench-quick: {each.name}: {each.ours:g}, but {each.how}", file=sys.stderr)
    sys.exit(1 if passed else 0)


if __name__ == "__main__":
    main()
