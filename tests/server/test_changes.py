"""What tells a client what changed (CONDSTORE, QRESYNC, ESEARCH, LIST-STATUS), asked of Dovecot and of the demo's server."""

import random
import re
from collections.abc import Callable, Iterator

import pytest

from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.imap_wire import Wire
from support.served import Served

MAIL = b"Subject: x\r\n\r\nhello\r\n"
BOX = "box"  # no server makes it by itself


@pytest.fixture
def box(wire: Wire) -> Wire:
    """A connection with a folder of five mails, selected."""
    wire.ok(f"CREATE {BOX}")
    fill(wire, 5)
    wire.ok(f"SELECT {BOX}")
    return wire


def fill(wire: Wire, count: int) -> None:
    for _ in range(count):
        assert wire.command(f"APPEND {BOX} {{{len(MAIL)}}}", MAIL).status == "OK"


def highest(wire: Wire, folder: str = BOX) -> int:
    (line,) = [line for line in wire.ok(f"STATUS {folder} (HIGHESTMODSEQ)") if line.startswith(b"* STATUS ")]
    return int(re.search(rb"HIGHESTMODSEQ (\d+)", line)[1])  # type: ignore[index]


def fetched(lines: list[bytes]) -> dict[int, tuple[int, frozenset[bytes]]]:
    """UID -> (mod-sequence, flags without \\Recent) of FETCH responses that have all of them."""
    found = {}
    for line in lines:
        if b" FETCH " in line:
            uid, modseq = (int(re.search(what, line)[1]) for what in (rb"UID (\d+)", rb"MODSEQ \((\d+)\)"))  # type: ignore[index]
            flags = re.search(rb"FLAGS \(([^)]*)\)", line)[1].split()  # type: ignore[index]
            found[uid] = modseq, frozenset(flags) - {b"\\Recent"}
    return found


def vanished(lines: list[bytes], earlier: bytes = b"(EARLIER) ") -> set[int]:
    found: set[int] = set()
    for line in lines:
        if match := re.fullmatch(rb"\* VANISHED " + re.escape(earlier) + rb"([\d:,]+)", line):
            for part in match[1].split(b","):
                first, _, last = part.partition(b":")
                found.update(range(int(first), int(last or first) + 1))
    return found


def test_what_is_offered(wire: Wire) -> None:
    offered = set(wire.ok("CAPABILITY")[0].split()[2:])

    assert offered >= set(b"CONDSTORE QRESYNC ENABLE ESEARCH LIST-EXTENDED LIST-STATUS".split())


def test_opening_a_folder_tells_its_highest_modseq_and_status_the_same(box: Wire) -> None:
    box.ok("ENABLE CONDSTORE")  # Dovecot counts nothing in a folder before somebody asks
    told = [line for line in box.ok(f"EXAMINE {BOX}") if b"HIGHESTMODSEQ" in line]

    assert told == [b"* OK [HIGHESTMODSEQ %d] Highest" % highest(box)]
    box.ok("CREATE empty")
    assert highest(box, "empty") == 1


def test_the_highest_modseq_is_told_again_when_a_client_begins_to_ask_for_it(box: Wire) -> None:
    lines = box.ok("ENABLE CONDSTORE")

    assert sorted(lines) == [b"* ENABLED CONDSTORE", b"* OK [HIGHESTMODSEQ %d] Highest" % highest(box)]
    assert box.ok("ENABLE QRESYNC") == [b"* ENABLED QRESYNC"]


def test_a_modseq_grows_with_each_change_and_only_then(box: Wire) -> None:
    before = highest(box)
    assert sorted(modseq for modseq, _ in fetched(box.ok("UID FETCH 1:* (FLAGS MODSEQ)")).values())[-1] == before

    box.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    middle = highest(box)
    box.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    assert highest(box) == middle > before
    box.ok("STORE 1:3 -FLAGS (\\Seen)")
    after = highest(box)
    assert after > middle
    fill(box, 1)
    assert highest(box) > after


def test_changedsince_gives_what_changed_with_its_modseq(box: Wire) -> None:
    since = highest(box)
    box.ok("STORE 2,4 +FLAGS.SILENT (\\Seen)")
    found = fetched(box.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since})"))

    assert {uid: flags for uid, (_, flags) in found.items()} == dict.fromkeys((2, 4), frozenset({b"\\Seen"}))
    assert all(modseq > since for modseq, _ in found.values())
    assert box.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {highest(box)})") == []
    assert len(box.ok("FETCH 1:* FLAGS (CHANGEDSINCE 1)")) == 5


def test_a_store_tells_the_modseq_even_when_it_is_silent(box: Wire) -> None:
    assert not any(b"FETCH" in line for line in box.ok("STORE 1 +FLAGS.SILENT (\\Seen)"))
    box.ok("ENABLE CONDSTORE")
    (told,) = box.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    assert re.fullmatch(rb"\* 2 FETCH \((UID 2 )?MODSEQ \(%d\)\)" % highest(box), told)
    (told,) = [line for line in box.ok("UID STORE 2 -FLAGS (\\Seen)") if b"FETCH" in line]
    assert fetched([told]) == {2: (highest(box), frozenset())}


def test_a_store_on_condition_leaves_alone_what_changed_meanwhile(box: Wire) -> None:
    since = highest(box)
    box.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    reply = box.command(f"UID STORE 1:3 (UNCHANGEDSINCE {since}) +FLAGS (\\Flagged)")

    assert reply.tagged.startswith(b"OK [MODIFIED 2] ")
    assert box.ok("UID SEARCH FLAGGED") == [b"* SEARCH 1 3"]
    assert box.command(f"UID STORE 5 (UNCHANGEDSINCE {since}) +FLAGS (\\Flagged)").code == ""


def test_reading_a_body_tells_the_flags_and_the_modseq(box: Wire) -> None:
    box.ok("ENABLE CONDSTORE")
    lines = b"".join(box.ok("UID FETCH 1 BODY[]"))

    assert b"\\Seen" in lines
    assert b"MODSEQ (%d)" % highest(box) in lines


def test_vanished_has_to_be_enabled(box: Wire) -> None:
    assert box.command("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)").status == "BAD"
    assert box.ok("ENABLE QRESYNC X-NOPE") == [b"* ENABLED QRESYNC"]
    assert box.command("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)").status == "OK"
    assert box.command("FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)").status == "BAD"
    assert box.ok("ENABLE X-NOPE") == []


def test_what_is_gone_is_remembered(box: Wire) -> None:
    box.ok("ENABLE QRESYNC")
    since = highest(box)
    box.ok("STORE 2,3,5 +FLAGS.SILENT (\\Deleted)")
    gone = box.command("EXPUNGE")
    assert vanished(gone.untagged, b"") == {2, 3, 5}
    assert not any(b"EXPUNGE" in line for line in gone.untagged)
    assert gone.tagged.startswith(b"OK [HIGHESTMODSEQ %d] " % highest(box))

    assert vanished(box.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)")) == {2, 3, 5}
    assert vanished(box.ok(f"UID FETCH 3:4 (FLAGS) (CHANGEDSINCE {since} VANISHED)")) == {3}
    assert vanished(box.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {highest(box)} VANISHED)")) == set()


def test_another_connections_expunge_is_told_as_vanished(served: Served, box: Wire) -> None:
    box.ok("ENABLE QRESYNC")
    with served.connect() as other:
        other.ok(f"SELECT {BOX}")
        other.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        assert any(b" EXPUNGE" in line for line in other.ok("EXPUNGE"))
    assert vanished(box.ok("NOOP"), b"") == {1, 2}


def test_a_folder_is_opened_with_all_that_changed(box: Wire) -> None:
    box.ok("ENABLE QRESYNC")
    (line,) = [line for line in box.ok(f"STATUS {BOX} (UIDVALIDITY)") if line.startswith(b"* STATUS ")]
    validity = int(re.search(rb"UIDVALIDITY (\d+)", line)[1])  # type: ignore[index]
    since = highest(box)
    box.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    box.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
    box.ok("EXPUNGE")
    fill(box, 1)

    opened = box.ok(f"EXAMINE {BOX} (QRESYNC ({validity} {since}))")
    assert opened[0] == b"* OK [CLOSED] Previous mailbox closed."
    assert vanished(opened) == {3}
    assert set(fetched(opened)) == {2, 6}
    part = box.ok(f"EXAMINE {BOX} (QRESYNC ({validity} {since} 1:2))")
    assert (vanished(part), set(fetched(part))) == (set(), {2})
    other = box.ok(f"EXAMINE {BOX} (QRESYNC ({validity - 1} {since}))")
    assert (vanished(other), fetched(other)) == (set(), {})
    whole = box.ok(f"EXAMINE {BOX} (QRESYNC ({validity} {since} 1:5 (1:2 1:2)))")
    assert set(fetched(whole)) >= {2}


@pytest.mark.parametrize(
    "line",
    [
        f"EXAMINE {BOX} (NOPE)", f"EXAMINE {BOX} (QRESYNC (1 1))", "FETCH 1 FLAGS (NOPE 1)", "FETCH 1 FLAGS (CHANGEDSINCE x)",
        "STORE 1 (NOPE 1) +FLAGS (\\Seen)", "SEARCH RETURN (NOPE) ALL", 'LIST (NOPE) "" "*"', 'LIST "" "*" RETURN (NOPE)',
        'LIST (RECURSIVEMATCH) "" "*"', "SEARCH MODSEQ x", 'LIST "" "*" RETURN (STATUS (NOPE))',
    ],
)  # fmt: skip
def test_what_is_not_known_is_bad(box: Wire, line: str) -> None:
    assert box.command(line).status == "BAD"


def test_search_returns_what_is_asked_for(box: Wire) -> None:
    box.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    box.ok("EXPUNGE")

    def answer(keys: str) -> bytes:
        (line,) = [line for line in box.ok(keys) if b"SEARCH" in line]
        return re.sub(rb'TAG "[^"]*"', b"TAG", line)

    assert answer("UID SEARCH RETURN (ALL) ALL") == b"* ESEARCH (TAG) UID ALL 1,3:5"
    assert answer("SEARCH RETURN () ALL") == b"* ESEARCH (TAG) ALL 1:4"
    assert answer("SEARCH RETURN (MIN MAX COUNT) ALL") == b"* ESEARCH (TAG) MIN 1 MAX 4 COUNT 4"
    assert answer("UID SEARCH RETURN (ALL COUNT) ANSWERED") == b"* ESEARCH (TAG) UID COUNT 0"
    assert answer("UID SEARCH RETURN (ALL) ANSWERED") == b"* ESEARCH (TAG) UID"
    since = highest(box)
    box.ok("UID STORE 3:4 +FLAGS.SILENT (\\Seen)")
    after = highest(box)
    assert answer(f"UID SEARCH RETURN (ALL) MODSEQ {since + 1}") == b"* ESEARCH (TAG) UID ALL 3:4 MODSEQ %d" % after
    assert answer(f"UID SEARCH MODSEQ {since + 1}") == b"* SEARCH 3 4 (MODSEQ %d)" % after
    assert answer(f"UID SEARCH MODSEQ {after + 1}") == b"* SEARCH"
    assert answer(f'UID SEARCH MODSEQ "/flags/\\\\draft" all {after + 1}') == b"* SEARCH"


def test_folders_are_listed_with_their_status(wire: Wire) -> None:
    wire.ok(f"CREATE {BOX}")
    wire.ok("CREATE a/b")
    fill(wire, 2)
    lines = wire.ok('LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))')
    status = {match[1]: match[2] for line in lines if (match := re.match(rb"\* STATUS (\S+) \((.*)\)", line))}
    attributes = {match[2]: match[1] for line in lines if (match := re.match(rb'\* LIST \((.*)\) "/" (\S+)', line))}

    assert {name.strip(b'"'): value for name, value in attributes.items() if name.strip(b'"') in (b"a", b"a/b", b"Sent")} == {
        b"a": b"\\NonExistent", b"a/b": b"", b"Sent": b"\\Sent",
    }  # fmt: skip
    names = {name.strip(b'"'): value for name, value in status.items()}
    assert names.keys() >= {b"INBOX", b"Sent", b"a/b", BOX.encode()}
    assert b"a" not in names
    (plain,) = wire.ok(f"STATUS {BOX} (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
    assert names[BOX.encode()] == re.search(rb"\((.*)\)", plain)[1]  # type: ignore[index]


def test_folders_are_chosen_by_what_they_are(wire: Wire) -> None:
    wire.ok("CREATE top/below")
    wire.ok("SUBSCRIBE top/below")

    def names(line: str) -> dict[bytes, bytes]:
        found = (re.match(rb'\* LIST \((.*?)\) "/" "?([^" ]*)"?(.*)', each) for each in wire.ok(line))
        return {match[2]: match[1] + match[3].replace(b'"CHILDINFO"', b"CHILDINFO") for match in found if match}

    assert names('LIST (SPECIAL-USE) "" "S*"') == {b"Sent": b"\\Sent"}
    assert names('LIST (SUBSCRIBED) "" "top*"') == {b"top/below": b"\\Subscribed"}
    assert names('LIST (SUBSCRIBED) "" "top"') == {}
    assert names('LIST (SUBSCRIBED RECURSIVEMATCH) "" "top"') == {b"top": b'\\NonExistent (CHILDINFO ("SUBSCRIBED"))'}
    assert names('LIST "" ("Sen*" "top/%") RETURN (CHILDREN)') == {
        b"Sent": b"\\HasNoChildren", b"top/below": b"\\HasNoChildren",
    }  # fmt: skip
    assert names('LIST "" "top%" RETURN (SUBSCRIBED CHILDREN)') == {b"top": b"\\NonExistent \\HasChildren"}
    assert names('LIST "" "top/%" RETURN ()') == {b"top/below": b""}


@pytest.fixture(params=[pytest.param("dovecot", marks=pytest.mark.dovecot), "demo"])
def compressing(request: pytest.FixtureRequest) -> Iterator[Served]:
    if request.param == "dovecot":
        server = request.getfixturevalue("dovecot_with")(Settings(compress=True))
        yield Served("dovecot", server.host, server.imap_port, server.make_user(), server.password)
        return
    with DemoServer(Account("user", "secret")) as demo:
        yield Served("demo", demo.host, demo.port, "user", "secret")


def test_a_line_can_be_compressed(compressing: Served) -> None:
    with compressing.connect() as wire:
        assert b"COMPRESS=DEFLATE" in wire.ok("CAPABILITY")[0].split()
        assert wire.command("COMPRESS LZMA").status in ("NO", "BAD")
        wire.compress()
        big = MAIL + b"all work and no play\r\n" * 20_000
        wire.send(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(big), big))
        assert wire.reply(b"a").status == "OK"
        wire.ok("EXAMINE INBOX")
        assert wire.ok("FETCH 1 BODY.PEEK[]") == [b"* 1 FETCH (BODY[] {%d}\r\n%s)" % (len(big), big)]
        assert wire.command("COMPRESS DEFLATE").code == "COMPRESSIONACTIVE"


# The demo's server beside Dovecot, whatever happens


def _add(wire: Wire, chance: random.Random) -> None:
    fill(wire, chance.randrange(1, 4))


def _flag(wire: Wire, chance: random.Random) -> None:
    low, high = sorted(chance.randrange(1, 12) for _ in range(2))
    how = chance.choice(["+", "-", ""])
    flags = chance.choice(["\\Seen", "\\Flagged \\Answered", "$label1", "\\Deleted"])
    wire.ok(f"UID STORE {low}:{high} {how}FLAGS.SILENT ({flags})")


def _expunge(wire: Wire, chance: random.Random) -> None:
    wire.ok("EXPUNGE")


def _reopen(wire: Wire, chance: random.Random) -> None:
    wire.ok(f"SELECT {BOX}")


ACTS: list[Callable[[Wire, random.Random], None]] = [_add, _flag, _flag, _expunge, _reopen]


@pytest.mark.dovecot
@pytest.mark.parametrize("seed", range(8))
def test_both_tell_of_the_same_changes(dovecot: Dovecot, seed: int) -> None:
    told = []
    with DemoServer(Account("user", "secret")) as demo:
        for place in (
            Served("dovecot", dovecot.host, dovecot.imap_port, dovecot.make_user(), dovecot.password),
            Served("demo", demo.host, demo.port, "user", "secret"),
        ):
            with place.connect() as wire:
                told.append(_story(wire, random.Random(seed)))

    assert told[0] == told[1]


def _story(wire: Wire, chance: random.Random) -> list[object]:
    """What a client that comes back is told, for every moment at which it may have left."""
    wire.ok("ENABLE QRESYNC")
    wire.ok(f"CREATE {BOX}")
    fill(wire, 4)
    wire.ok(f"SELECT {BOX}")
    left = [1]
    for _ in range(25):
        chance.choice(ACTS)(wire, chance)
        left.append(highest(wire))
    (line,) = [line for line in wire.ok(f"STATUS {BOX} (UIDVALIDITY MESSAGES)") if line.startswith(b"* STATUS ")]
    validity = int(re.search(rb"UIDVALIDITY (\d+)", line)[1])  # type: ignore[index]
    story: list[object] = []
    for modseq in left:
        lines = wire.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")
        opened = wire.ok(f"EXAMINE {BOX} (QRESYNC ({validity} {modseq}))")
        changed = {uid: flags for uid, (_, flags) in fetched(lines).items()}
        assert {uid: flags for uid, (_, flags) in fetched(opened).items()} == changed
        assert vanished(opened) == vanished(lines)
        story.append((changed, vanished(lines)))
    return story
