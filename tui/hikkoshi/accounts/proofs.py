"""The uploads that the ledger knows, as the comparison asks for them."""

from collections.abc import Iterator

from hikkoshi.index.proofs import Proof, Upload
from hikkoshi.ledger.records import Item
from hikkoshi.ledger.store import Ledger


class LedgerProofs:
    """`hikkoshi.index.proofs.Proofs` of one account."""

    def __init__(self, ledger: Ledger, server: str) -> None:
        self._ledger, self._server = ledger, server

    @property
    def mark(self) -> str:
        """See `Proofs`."""
        return self._ledger.uploads_mark()

    def all(self) -> Iterator[tuple[Upload, Proof]]:
        """See `Proofs`."""
        for item in self._ledger.uploads(self._server):
            if item.uidvalidity is not None and item.uid is not None:
                yield (item.target, item.uidvalidity, item.uid), _proof(item)

    def at(self, upload: Upload) -> Proof | None:
        """See `Proofs`."""
        item = self._ledger.upload_at(self._server, *upload)
        return _proof(item) if item else None


def _proof(item: Item) -> Proof:
    return Proof(item.fields, item.original_size, item.original_body)
