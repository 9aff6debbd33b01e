"""What a user says on the command line about an account: a typed record."""

import hashlib
from pathlib import Path

import msgspec
import platformdirs

from hikkoshi.accounts.address import Address
from hikkoshi.accounts.config import config_path
from hikkoshi.move.room import AUTOMATIC, Reserve


class Options(msgspec.Struct, frozen=True):
    """One local store, one server, and the limits of a move between them (`quota_limit` in bytes).

    `daily_budget`: bytes in 24 hours, 0 for no limit, None for the provider's own. `max_rate`: bytes a second; `max_mails`:
    mails a second; None for no cap.
    """

    local: Path
    address: Address
    local_account: str | None = None
    ca_file: Path | None = None
    quota_limit: int | None = None
    reserve: Reserve = AUTOMATIC
    mapping: dict[str, str] = msgspec.field(default_factory=dict)
    daily_budget: int | None = None
    max_rate: int | None = None
    max_mails: float | None = None


class Files(msgspec.Struct, frozen=True):
    """Where the program keeps what it knows of an account."""

    index: Path
    ledger: Path
    lock: Path
    config: Path


def files_in(folder: Path) -> Files:
    """All of them in one folder, for an account that leaves nothing behind."""
    return Files(folder / "index.sqlite", folder / "ledger.sqlite", folder / "lock", folder / "config.toml")


def files_of(options: Options) -> Files:
    """The account's index (in the cache folder), the ledger and the lock (in the data folder)."""
    address = options.address
    server = f"{address.user}@{address.host}:{address.port}"
    account = f"{options.local.resolve()}\n{options.local_account or ''}\n{server}"
    data = ledger_path().parent
    return Files(
        index=platformdirs.user_cache_path("hikkoshi") / f"{_short(account)}.index.sqlite",
        ledger=ledger_path(),
        lock=data / f"{_short(server)}.lock",
        config=config_path(),
    )


def ledger_path() -> Path:
    """Where the ledger of all accounts is: in the data folder."""
    return platformdirs.user_data_path("hikkoshi") / "ledger.sqlite"


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
