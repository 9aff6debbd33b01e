"""Finding mail of this PC again by its identity fields, wherever it lies now."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from hikkoshi.index.queries import Row, rows
from hikkoshi.index.schema import LOCAL
from hikkoshi.index.store import Index
from hikkoshi.mail.identity import keys

_WINDOW = 500


def local_rows_like(index: Index, fields: Iterable[bytes]) -> Iterator[Row]:
    """The rows of mail on this PC that may have one of these raw identity fields; who asks compares them."""
    wanted = iter({keys(each)[0] for each in fields})
    while window := list(islice(wanted, _WINDOW)):
        # The row of a local message has the message's own id.
        found = index.db.execute(
            "SELECT id FROM message WHERE side = ? AND key IN (SELECT value FROM json_each(?)) ORDER BY id",
            (LOCAL, json.dumps(window)),
        ).fetchall()
        for start in range(0, len(found), _WINDOW):
            yield from rows(index, [id_ for (id_,) in found[start : start + _WINDOW]])
