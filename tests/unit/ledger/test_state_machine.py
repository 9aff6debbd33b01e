"""The ledger beside a plain model in memory: whatever is written in whatever order, however often the file is opened anew or
the disk is full when it commits, it says what the model says."""

import sqlite3
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hikkoshi.errors import LedgerError
from hikkoshi.ledger.records import Item, ItemState, Landing, Sending, Settling, State
from hikkoshi.ledger.store import Ledger

SERVERS = ("mei@example.jp", "ken@example.jp")
ARRIVED = {"landed", "verified", "undoing"}


@dataclass(frozen=True)
class Mail:
    """What the model knows of a mail."""

    move: int
    place: str
    state: str = "planned"
    uid: int | None = None
    uidnext: int | None = None
    body: bytes | None = None
    reason: str = ""
    verified: str = ""


@dataclass(frozen=True)
class Moved:
    """What the model knows of a move."""

    server: str
    state: str = "running"
    reason: str = ""
    ended: bool = False
    told: bool = False
    runs: int = 1


class FullDisk:
    """A connection to the ledger that commits nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._db.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


class LedgerMachine(RuleBasedStateMachine):
    """Writes to both, and compares them."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.sqlite"
        self.ledger = Ledger(self.path)
        self.mails: dict[int, Mail] = {}
        self.moves: dict[int, Moved] = {}
        self.uids = 0

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.folder.cleanup()

    def of(self, *states: str) -> list[int]:
        return [id_ for id_, mail in self.mails.items() if mail.state in states]

    def chosen(self, data: st.DataObject, *states: str) -> list[int]:
        there = self.of(*states)
        return data.draw(st.lists(st.sampled_from(there), unique=True, min_size=1)) if there else []

    def note(self, ids: list[int], **facts: Any) -> None:
        for id_ in ids:
            self.mails[id_] = replace(self.mails[id_], **facts)

    @rule(server=st.sampled_from(SERVERS), count=st.integers(0, 4))
    def begin(self, server: str, count: int) -> None:
        places = [f"{len(self.mails) + number}:9" for number in range(count)]
        move, ids = self.ledger.begin(server, "/mail", [Item("In", place, 9, b"x", "INBOX", "") for place in places])

        assert move not in self.moves
        assert not set(ids) & set(self.mails)
        self.moves[move] = Moved(server)
        self.mails |= {id_: Mail(move, place) for id_, place in zip(ids, places, strict=True)}

    @rule(data=st.data(), uidnext=st.integers(1, 99))
    def step(self, data: st.DataObject, uidnext: int) -> None:
        """All that one step may hold: what landed, what was settled, what goes next."""
        under_way = self.chosen(data, "sending")
        landing = data.draw(st.lists(st.sampled_from(under_way), unique=True)) if under_way else []
        settling = [
            (id_, data.draw(st.sampled_from(["planned", "failed", "doubtful", "sending"])))
            for id_ in under_way
            if id_ not in landing
        ]
        sending = self.chosen(data, "planned")
        landings = {id_: self.uids + number for number, id_ in enumerate(landing, 1)}
        self.uids += len(landings)
        self.ledger.step(
            landed=[Landing(id_, 7, uid) for id_, uid in landings.items()],
            settled=[Settling(id_, ItemState(state), f"so {state}") for id_, state in settling],
            sending=[Sending(id_, b"%d" % id_, "\\Seen", 5, "date", 7, uidnext) for id_ in sending],
        )
        for id_, uid in landings.items():
            self.note([id_], state="landed", uid=uid, reason="")
        for id_, state in settling:
            self.note([id_], state=state, reason=f"so {state}")
        for id_ in sending:
            self.note([id_], state="sending", uidnext=uidnext, body=b"%d" % id_)

    @rule(data=st.data(), how=st.sampled_from(["facts", "bytes", "its date is another one"]))
    def verify(self, data: st.DataObject, how: str) -> None:
        ids = self.chosen(data, "landed")
        self.ledger.verified([(id_, how) for id_ in ids])
        self.note(ids, state="verified", verified=how, reason="")

    @precondition(lambda self: self.moves)
    @rule(data=st.data(), state=st.sampled_from(list(State)))
    def finish(self, data: st.DataObject, state: State) -> None:
        move = data.draw(st.sampled_from(list(self.moves)))
        self.ledger.finish(move, state, "because")
        self.moves[move] = replace(self.moves[move], state=state.value, reason="because", ended=True)

    @precondition(lambda self: self.moves)
    @rule(data=st.data())
    def tell(self, data: st.DataObject) -> None:
        move = data.draw(st.sampled_from(list(self.moves)))
        self.ledger.tell(move)
        self.moves[move] = replace(self.moves[move], told=True)

    @precondition(lambda self: self.moves)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """What did not arrive is planned again in the same move."""
        move = data.draw(st.sampled_from(list(self.moves)))
        again = [id_ for id_ in self.of("planned", "failed") if self.mails[id_].move == move]
        self.ledger.resume(move, [Item("In", f"moved {id_}", 9, b"x", "INBOX", "", id=id_) for id_ in again])
        before = self.moves[move]
        self.moves[move] = Moved(before.server, runs=before.runs + 1)
        for id_ in again:
            self.note([id_], state="planned", place=f"moved {id_}", reason="")

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self.ledger.undoing(ids := self.chosen(data, "landed", "verified"))
        self.note(ids, state="undoing")

    @rule(data=st.data())
    def end_of_undo(self, data: st.DataObject) -> None:
        ids = self.chosen(data, "undoing")
        removed = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
        kept = [id_ for id_ in ids if id_ not in removed]
        self.ledger.undone(removed=removed, kept=kept, reason="on request")
        self.note(removed, state="removed", reason="on request")
        for id_ in kept:
            self.note([id_], state="verified" if self.mails[id_].verified else "landed")

    @rule()
    def open_anew(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.path)

    @rule()
    def die(self) -> None:
        """Nobody closes a ledger that is killed in the middle of a transaction."""
        self.ledger.db.execute("BEGIN IMMEDIATE")
        self.ledger.db.execute("UPDATE item SET state = 'verified', uid = 1, reason = 'half'")
        self.ledger.db.execute("DELETE FROM move")
        self.ledger.db.close()
        self.ledger = Ledger(self.path)

    @rule(data=st.data(), write=st.sampled_from(["begin", "step", "verified", "finish", "resume", "undoing"]))
    def fail(self, data: st.DataObject, write: str) -> None:
        """A write that cannot be committed says so and leaves nothing."""
        ids = list(self.mails) or [1]
        move = next(iter(self.moves), 1)
        sending = [Sending(id_, b"y", "", 1, "date", 1, 1) for id_ in ids]
        writes = {
            "begin": lambda: self.ledger.begin(SERVERS[0], "/mail", [Item("In", "x", 1, b"x", "INBOX", "")]),
            "step": lambda: self.ledger.step(landed=[Landing(id_, 1, 1) for id_ in ids], sending=sending),
            "verified": lambda: self.ledger.verified([(id_, "bytes") for id_ in ids]),
            "finish": lambda: self.ledger.finish(move, State.DONE),
            "resume": lambda: self.ledger.resume(move, []),
            "undoing": lambda: self.ledger.undoing(ids),
        }
        db = self.ledger.db
        self.ledger.db = FullDisk(db)  # type: ignore[assignment]
        with pytest.raises(LedgerError, match="disk is full"):
            writes[write]()
        self.ledger.db = db

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for id_, move in self.moves.items():
            mails = {
                item.id: Mail(
                    id_, item.place, item.state.value, item.uid, item.uidnext, item.body, item.reason, item.verified
                )
                for item in self.ledger.items(id_)
            }
            assert mails == {number: mail for number, mail in self.mails.items() if mail.move == id_}
            found = self.ledger.move(id_)
            assert found is not None
            assert (found.server, found.state.value, found.reason) == (move.server, move.state, move.reason)
            assert (found.ended is not None) == move.ended
            assert sum(found.counts.values()) == len(mails)

    @invariant()
    def same_of_each_server(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for server in SERVERS:
            moves = {id_: move for id_, move in self.moves.items() if move.server == server}
            mails = {id_: mail for id_, mail in self.mails.items() if mail.move in moves}
            assert {item.id for item in self.ledger.in_doubt(server)} == {
                id_ for id_, mail in mails.items() if mail.state == "sending"
            }
            arrived = {id_: mail.uid for id_, mail in mails.items() if mail.state in ARRIVED}
            assert {item.id: item.uid for item in self.ledger.uploads(server)} == arrived
            assert self.ledger.uids(server, "INBOX", 7) == set(arrived.values())
            assert {move.id for move in self.ledger.untold(server)} == {
                id_
                for id_, move in moves.items()
                if not move.told
                and (
                    move.state not in ("done", "undone")
                    or any(mail.state == "undoing" for mail in mails.values() if mail.move == id_)
                )
            }
            assert self.ledger.moves(server) == (
                sum(move.runs for move in moves.values()),
                sum(move.ended for move in moves.values()),
            )


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
