"""One account at work: what `check`, `upload` and the screen share. It ties both sides together.

Every method that blocks opens its own connections and files and closes them again, so each may run in a
thread of its own; two of them never run at the same time.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from hikkoshi.accounts import leftovers
from hikkoshi.accounts.config import AccountConfig, Config, load_config, save_config
from hikkoshi.accounts.early import EarlyLooks, Listing, is_first
from hikkoshi.accounts.options import Files, Options, files_of
from hikkoshi.accounts.proofs import LedgerProofs
from hikkoshi.accounts.readiness import see_all, see_that_nothing_moved
from hikkoshi.accounts.rooms import Asked, size_limits
from hikkoshi.errors import Cancelled, IndexUnusable, LedgerError, ServerError
from hikkoshi.index.account import compare, is_compared
from hikkoshi.index.mapping import Target, find_local, map_folders
from hikkoshi.index.queries import Counts, FolderPair, folder_pairs, total, uploadable
from hikkoshi.index.readdress import Readdressing
from hikkoshi.index.refresh_local import LocalRefresh
from hikkoshi.index.refresh_server import refresh_server
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.ledger.lock import MoveLock
from hikkoshi.ledger.records import State
from hikkoshi.ledger.store import Ledger
from hikkoshi.local.detect import open_store
from hikkoshi.local.scan import AT_LEAST_ONE, AUTOMATIC
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Problem
from hikkoshi.move.budget import day_size
from hikkoshi.move.events import Rooms, Tell
from hikkoshi.move.limits import SizeLimits, learnt_limit
from hikkoshi.move.meter import Meter
from hikkoshi.move.plan import Outline, Plan, make_outline, make_plan
from hikkoshi.move.quiet import wait_for_stragglers
from hikkoshi.move.receipt import Receipt
from hikkoshi.move.room import Room
from hikkoshi.move.settle import Settled, settle
from hikkoshi.move.telling import tell_settled
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.conversation import GMAIL
from hikkoshi.server.login import Login
from hikkoshi.server.overview import Overview
from hikkoshi.server.session import ServerSession

if TYPE_CHECKING:
    from hikkoshi.move.budget import Budget
    from hikkoshi.move.resume import Resumption


class Snapshot(msgspec.Struct, frozen=True):
    """Both sides as they were found; totals are (folders, messages, bytes in CRLF form)."""

    description: str
    server: str
    pairs: tuple[FolderPair, ...]
    counts: Counts
    local_total: tuple[int, int, int]
    server_total: tuple[int, int, int]
    rooms: tuple[Room, ...]
    problems: tuple[Problem, ...]
    checked_at: datetime
    limits: SizeLimits
    server_whole: bool
    """False: a server folder could not be opened, so a mail that seems missing may be in it."""
    whole: bool = True
    """False: the server is still being listed; `Relation.PENDING` is said of mail that it is not known to have yet."""


Early = Callable[[Snapshot], None]
"""Hears what is known before a first listing has come to its end; called in the thread of the work."""


class AccountSession:
    """A local store and a server, and all that can be done with the two."""

    def __init__(self, options: Options, store: LocalStore, password: str, files: Files | None = None) -> None:
        """`files`: where its index, ledger and config are, if not in the user's own folders."""
        address = options.address
        self.options = options
        self.store = store
        self.server = str(address)
        self.files = files or files_of(options)
        self.index_path = self.files.index
        self.snapshot: Snapshot | None = None
        self.login = _login(options, password)
        self._config = load_config(self.files.config)
        remembered = self._config.accounts.get(self.server, AccountConfig())
        self.overrides: dict[str, str] = {**remembered.mapping, **options.mapping}
        self._server_folders: list[Folder] = []
        self._new_native: Callable[[tuple[str, ...]], str] | None = None
        self._moves = (0, 0)
        self._kept: Bulk | None = None
        self._asked: Asked | None = None
        self._settled = Settled()
        self._day: int | None = None

    @property
    def theme(self) -> str:
        """The colour theme that the config names, '' for the default one."""
        return self._config.theme

    @classmethod
    def open_store(cls, options: Options) -> LocalStore:
        """What lies at the path that the user gave. Raises `NotAStore` and `AccountNotChosen`."""
        return open_store(options.local, login=options.address.user, account=options.local_account)

    @staticmethod
    def try_login(options: Options, password: str) -> None:
        """Log in and out again. Raises what connecting raises."""
        ServerSession.open(_login(options, password)).close()

    def refresh(self, report: Report, cancel: Cancel, early: Early | None = None, *, keep: bool = False) -> Snapshot:
        """Look at both sides and compare them. Raises what connecting and listing raise.

        While folders of the server are listed for the first time `early` gets a snapshot now and then, not `whole`.
        `keep`: the connection stays open for an `upload` at once, in the same thread; `hang_up` ends it.
        """
        self.hang_up()
        report(Progress(Stage.CONNECT, self.server))
        with ExitStack() as stack:
            index = stack.enter_context(Index(self.files.index))
            ledger = stack.enter_context(Ledger(self.files.ledger))
            # Children read large stores while the server is asked, and all stores for a screen: keys would stutter.
            children = AUTOMATIC if early is None else AT_LEAST_ONE
            local = stack.enter_context(LocalRefresh(index, self.store, cancel, children))
            local.start()
            connection = stack.enter_context(ExitStack())
            bulk = connection.enter_context(Bulk.open(self.login))
            self._day = day_size(self.options.daily_budget, gmail=bulk.offers(GMAIL))
            wait_for_stragglers(ledger, self.server, bulk, cancel.wait)
            self._asked = Asked(index)
            overview = bulk.overview(self._asked.folders, sizes=self.options.quota_limit is not None)
            self._server_folders, self._new_native = overview.folders, overview.namer()
            self._moves = ledger.moves(self.server)
            states, uploads = overview.states, Readdressing(index, ledger, self.server)
            if early is not None and is_first(index, overview.folders):
                # What has come in is compared with all mail of this PC, so that comes first.
                problems = local.finish(report)
                looks = self._early_looks(index, ledger, overview, tuple(problems), early)
                listing = Listing(index, report, cancel, looks)
                unlisted = refresh_server(
                    index, bulk, self._server_folders, listing.report, cancel, states=states, on_rows=listing.came,
                    uploads=uploads,
                )  # fmt: skip
            else:
                unlisted = refresh_server(
                    index, bulk, self._server_folders, report, cancel, states=states, uploads=uploads
                )
                problems = local.finish(report)
            self._settle(index, ledger, bulk)
            report(Progress(Stage.COMPARE))
            compare(index, self._targets(index), LedgerProofs(ledger, self.server))
            rooms = self._meter(index).take(self._asked.read(bulk, index, overview))
            limits = size_limits(overview, ledger, self.server, self._day)
            self.snapshot = self._snapshot(index, tuple(rooms), (*problems, *unlisted), limits, not unlisted)
            if keep:
                connection.pop_all()
                self._kept = bulk
        return self.snapshot

    def hang_up(self) -> None:
        """Close the connection that `refresh` kept, if there is one."""
        kept = self.take_kept()
        if kept is not None:
            kept.close()

    def take_kept(self) -> Bulk | None:
        """The connection that `refresh` kept, for whom goes on with it; None if there is none."""
        kept, self._kept = self._kept, None
        return kept

    def give_back(self, kept: Bulk) -> None:
        """Keep a connection that `take_kept` gave for whom comes next."""
        self._kept = kept

    def fill_search(self, cancel: Cancel) -> None:
        """Make mail searchable that is not yet, until none is left or the work shall stop; it may be stopped at any time.

        Where the index cannot be written now nothing is said: the next look goes on.
        """
        # A check, which runs every hour, makes nothing searchable.
        from hikkoshi.index.search import fill

        with suppress(Cancelled, IndexUnusable), Index(self.files.index) as index:
            fill(index, cancel)

    def remap(self, overrides: Mapping[str, str], report: Report, cancel: Cancel) -> Snapshot:
        """Remember the user's mapping and compare again with it. Raises `UsageError` and `ConfigError`."""
        before, self.overrides = self.overrides, dict(overrides)
        try:
            snapshot = self.compare_again(report)
        except BaseException:
            self.overrides = before
            raise
        cancel.check()
        self._remember()
        return snapshot

    def plan(self, ids: Iterable[int] | None = None, targets: Mapping[int, str] | None = None) -> Plan:
        """What an upload of these rows would do; of all that is missing without `ids`. Needs a snapshot.

        `targets`: see `make_plan`.
        """
        seen = self._seen()
        with Index(self.files.index) as index:
            wanted = uploadable(index) if ids is None else ids
            return make_plan(index, wanted, seen.rooms, limits=seen.limits, targets=targets)

    def retry_refused(self) -> None:
        """Plan mail of the sizes that the server has refused, too. Needs a snapshot."""
        seen = self._seen()
        self.snapshot = replace(seen, limits=seen.limits.trying_again())

    def outline(self) -> Outline:
        """What an upload of all that is missing would do, summed up. Needs a snapshot."""
        seen = self._seen()
        with Index(self.files.index) as index:
            return make_outline(index, seen.rooms, limits=seen.limits)

    def budget(self) -> "Budget | None":
        """What may go to the server in a day, None without a limit. Needs a look at the server before it."""
        from hikkoshi.accounts.pacing import budget_in

        return budget_in(self.files.ledger, self.server, self._day)

    def ready(self) -> None:
        """Raise where an upload could bring a mail twice, since not all of the server was looked at."""
        see_all(whole=self._seen().whole, server_whole=self._seen().server_whole)

    def upload(self, plan: Plan, report: Tell, cancel: Cancel, resumed: "Resumption | None" = None) -> Receipt:
        """Carry out a plan, then compare again: `snapshot` is new afterwards.

        `resumed`: the move of which it is the rest, see `hikkoshi.accounts.resuming`.
        """
        # 15 ms to load, and a check, which does not move, runs every hour.
        from hikkoshi.accounts.pacing import budget_of, caps_of, see_budget
        from hikkoshi.move import upload as moving
        from hikkoshi.move.earlier import read_earlier
        from hikkoshi.move.link import Link

        self.ready()
        with ExitStack() as stack:
            what = f"resume {resumed.move}" if resumed else "upload"
            stack.enter_context(MoveLock(self.files.lock, what))
            index = stack.enter_context(Index(self.files.index))
            ledger = stack.enter_context(Ledger(self.files.ledger))
            see_that_nothing_moved(ledger, self.server, self._moves)
            budget = budget_of(ledger, self.server, self._day)
            see_budget(budget, plan)
            link = stack.enter_context(Link(self.login, cancel, self.take_kept()))
            meter = self._meter(index)
            move = moving.Upload(
                plan,
                server=self.server,
                store=self.store,
                folders={folder.native: folder for folder in self.store.folders()},
                index=index,
                ledger=ledger,
                link=link,
                meter=meter,
                tell=report,
                cancel=cancel,
                resumed=resumed,
                budget=budget,
                caps=caps_of(self.options),
            )
            read_earlier(link, ledger, self.server)
            receipt = move.run()
            if cancel.reason not in ("SIGHUP", "SIGTERM"):
                ledger.tell(receipt.move)
            self._moves = ledger.moves(self.server)
            if receipt.state is not State.CONNECTION_LOST:
                # The move is over, and its receipt is what counts: these figures are not worth losing it.
                with suppress(ServerError):
                    rooms = tuple(meter.read(link.bulk, sorted({share.target for share in plan.shares} | {"INBOX"})))
                    report(Rooms(rooms))
                    self.snapshot = replace(self._seen(), rooms=rooms)
        self.compare_again(lambda _progress: None)
        return receipt

    def left_behind(self) -> str:
        """Sentences on what the last look has settled, and on moves that ended early, '' if there is none.

        They are told by this, once.
        """
        settled, self._settled = self._settled, Settled()
        told = leftovers.take(self.files, self.server, self._moves)
        self._moves = told.moves
        return "\n".join(filter(None, (tell_settled(settled), told.text)))

    def _early_looks(
        self, index: Index, ledger: Ledger, overview: Overview, problems: tuple[Problem, ...], early: Early
    ) -> EarlyLooks:
        """What compares what has come in, and shows it. Where nothing was compared yet this PC's mail is shown at once."""
        index.sync_folders(SERVER, (folder for folder in overview.folders if folder.selectable))

        def show() -> None:
            compare(index, self._targets(index), LedgerProofs(ledger, self.server), whole=False)
            rooms = tuple(self._meter(index).take(overview.quota))
            limits = size_limits(overview, ledger, self.server, self._day)
            seen = self._snapshot(index, rooms, problems, limits, server_whole=True)
            self.snapshot = replace(seen, whole=False)
            early(self.snapshot)

        looks = EarlyLooks(show)
        if not is_compared(index):
            looks.came()
        return looks

    def _seen(self) -> Snapshot:
        assert self.snapshot is not None, "refresh() comes first"
        return self.snapshot

    def _settle(self, index: Index, ledger: Ledger, bulk: Bulk) -> None:
        if not ledger.in_doubt(self.server):
            return
        try:
            with MoveLock(self.files.lock, "check"):
                self._settled += settle(index, ledger, self.server, bulk.digest_of)
        except LedgerError:
            # Another hikkoshi is moving this account's mail; what it has under way is not in doubt.
            return

    def _targets(self, index: Index) -> dict[str, Target]:
        assert self._new_native is not None, "refresh() comes first"
        local = [entry.folder for entry in index.folders(LOCAL)]
        remembered = self._config.accounts.get(self.server, AccountConfig()).mapping
        overrides = {
            name: target
            for name, target in self.overrides.items()
            # What was remembered may be of another store on this PC, or of a folder that is no more.
            if name in self.options.mapping or name not in remembered or find_local(local, name)
        }
        return map_folders(local, self._server_folders, overrides, self._new_native)

    def _meter(self, index: Index) -> Meter:
        assert self._asked is not None, "refresh() comes first"
        return self._asked.meter(index, self.options)

    def compare_again(self, report: Report) -> Snapshot:
        """Compare what changed in the index since, without a look at either side; `snapshot` is new afterwards."""
        seen = self._seen()
        report(Progress(Stage.COMPARE))
        with Index(self.files.index) as index, Ledger(self.files.ledger) as ledger:
            self._server_folders = _with_new(self._server_folders, index)
            compare(index, self._targets(index), LedgerProofs(ledger, self.server))
            limits = replace(seen.limits, refused=learnt_limit(ledger, self.server))
            self.snapshot = self._snapshot(index, seen.rooms, seen.problems, limits, seen.server_whole)
        return self.snapshot

    def _snapshot(
        self,
        index: Index,
        rooms: tuple[Room, ...],
        problems: tuple[Problem, ...],
        limits: SizeLimits,
        server_whole: bool,
    ) -> Snapshot:
        pairs = tuple(folder_pairs(index))
        return Snapshot(
            description=self.store.describe(),
            server=self.server,
            pairs=pairs,
            counts=total(pairs),
            local_total=index.totals(LOCAL),
            server_total=index.totals(SERVER),
            rooms=rooms,
            problems=problems,
            checked_at=datetime.now().astimezone(),
            limits=limits,
            server_whole=server_whole,
        )

    def _remember(self) -> None:
        # Read anew: another hikkoshi, or the screen, may have written to it since.
        now = load_config(self.files.config)
        accounts = {**now.accounts, self.server: AccountConfig(mapping=self.overrides)}
        self._config = Config(theme=now.theme, accounts=accounts)
        save_config(self.files.config, self._config)


def _login(options: Options, password: str) -> Login:
    address = options.address
    return Login(address.host, address.port, address.user, password, address.security, options.ca_file)


def _with_new(known: list[Folder], index: Index) -> list[Folder]:
    """The server's folders with those that an upload made since they were listed."""
    natives = {folder.native for folder in known}
    return known + [entry.folder for entry in index.folders(SERVER) if entry.folder.native not in natives]
