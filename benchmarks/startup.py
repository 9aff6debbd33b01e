"""Start-up beside an empty Python: `hikkoshi --version`, `hikkoshi check --help`, and what a check loads."""

from collections.abc import Iterator

from support import corpora, servers
from support.figures import Figure, at_most, none_of, unmeasured
from support.imports import LISTING, loaded, unwanted
from support.programs import Hikkoshi
from support.repository import HIKKOSHI, PYTHON
from support.script import Setting, main
from support.timing import alternate, run
from support.tools import NotHad

_RUNS = 15
"""Of 10 ms each: more than elsewhere, since a single one says little."""
_MAILS = 50


def measure(setting: Setting) -> Iterator[Figure]:
    """Times of whole processes, and the modules that a first and a second check load."""
    runs = max(_RUNS, setting.runs)
    bare, version, usage = alternate(
        runs,
        lambda: run([PYTHON, "-c", "pass"]).seconds,
        lambda: run([HIKKOSHI, "--version"]).seconds,
        lambda: run([HIKKOSHI, "check", "--help"]).seconds,
    )
    how = "whole processes, warm, compiled modules in place"
    yield at_most("hikkoshi --version, s", version, bare, 6, peer_name="python -c pass", how=how)
    yield at_most("hikkoshi check --help, s", usage, bare, 12, peer_name="python -c pass", how=how)
    try:
        yield from _loaded_by_checks(setting)
    except NotHad as reason:
        yield unmeasured("unwanted modules loaded by a check", 1, "lower", reason=str(reason))


def _loaded_by_checks(setting: Setting) -> Iterator[Figure]:
    kind = corpora.small(_MAILS)
    with servers.dovecot() as server:
        account = servers.account(server, {"INBOX": kind.mails()})
        ours = Hikkoshi(setting.work / "home", corpora.mbox(setting.corpora, kind), account)
        address = f"imaps://{account.user}@{server.host}:{server.imaps_port}"
        for when in ("first", "second"):
            modules = loaded(ours.at(address, extra=LISTING).errors)
            how = f"textual, rich, keyring, numpy, polars among the {len(modules)} modules of all its processes"
            yield none_of(f"unwanted modules loaded by a {when} check", unwanted(modules), how=how)


if __name__ == "__main__":
    main("startup", measure)
