"""Naming mails on a command line: each with its reason, but many with one and the same reason as their number."""

from collections import Counter
from collections.abc import Iterable

from hikkoshi.cli.output import say
from hikkoshi.i18n import _, ngettext
from hikkoshi.move.receipt import Failure

FEW = 20
"""So many of one folder with one reason are named each; more are summed up, and the receipt has them all."""


def name_failures(title: str, failures: Iterable[Failure], move: int | None = None) -> None:
    """Name mails under a title; `move`: whose receipt names those that are only summed up here."""
    named = list(failures)
    counts = Counter((failure.folder, failure.reason) for failure in named)
    for failure in named:
        if counts[failure.folder, failure.reason] <= FEW:
            say(f"{title}: {failure.folder}: {failure.subject}: {failure.reason}")
    many = {key: count for key, count in counts.items() if count > FEW}
    for (folder, reason), count in many.items():
        text = ngettext("{title}: {folder}: {n:,} mail: {reason}", "{title}: {folder}: {n:,} mails: {reason}", count)
        say(text.format(title=title, folder=folder, n=count, reason=reason))
    if many and move is not None:
        say(_("“hikkoshi moves {move}” names each of them.").format(move=move))
