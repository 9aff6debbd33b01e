"""How much mail comes in: what the reserve is measured by."""

import json

from hikkoshi.index.store import Index
from hikkoshi.mail.folders import LEFT_OUT, Role

DAYS = 30
_DAY = 86_400

_OWN = frozenset({Role.SENT, Role.DRAFTS})
"""The user's own writing. Outbox and templates are left out anyway."""


def incoming(index: Index, now: int) -> tuple[int, int]:
    """(bytes in CRLF form, mails) that came within the last DAYS days before `now` (seconds since 1970 UTC), on either side.

    A POP client may have taken a mail off the server, so neither side alone knows: each mail counts once, by its largest
    copy, and by the date it was received on (on the server INTERNALDATE). Sent mail, drafts, templates and the outbox did
    not come in. Trash and junk do not count: servers empty them by themselves, what was deleted needs no room for long,
    and such mail is not paired, so it would count on both sides. A folder of all mail holds one's own, too: what is
    only there counts unless it is in a folder of one's own as well.

    It walks over the rows of those days in each folder pair, not over all: for 1,000,000 mails of ten years some 8,000.
    """
    row = index.db.execute(
        "SELECT coalesce(sum(size), 0), count(*) FROM ("
        "SELECT max(size) AS size, max(came) AS came, max(written) AS written, max(held) AS held FROM ("
        "SELECT mail, max(coalesce(here.size, 0), coalesce(there.size, 0)) AS size,"
        " coalesce(ours.role NOT IN (SELECT value FROM json_each(:none)), 0)"
        " OR coalesce(theirs.role NOT IN (SELECT value FROM json_each(:none)), 0) AS came,"
        " coalesce(ours.role IN (SELECT value FROM json_each(:own)), 0)"
        " OR coalesce(theirs.role IN (SELECT value FROM json_each(:own)), 0) AS written,"
        " coalesce(theirs.role = :all, 0) AS held"
        " FROM view CROSS JOIN pair ON pair.view = view.id AND pair.date > :since AND pair.date <= :until"
        " LEFT JOIN message here ON here.id = pair.local AND NOT here.partial"
        " LEFT JOIN message there ON there.id = pair.server"
        " LEFT JOIN folder ours ON ours.id = here.folder LEFT JOIN folder theirs ON theirs.id = there.folder"
        ") GROUP BY mail) WHERE came OR (held AND NOT written)",
        {
            "none": json.dumps(sorted({*LEFT_OUT, *_OWN, Role.ALL})),
            "own": json.dumps(sorted(_OWN)),
            "all": Role.ALL,
            "since": now - DAYS * _DAY,
            # A clock may be a little fast; a date of next year says nothing about today.
            "until": now + _DAY,
        },
    ).fetchone()
    return row[0], row[1]
