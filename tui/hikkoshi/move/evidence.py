"""Which mails that were under way have arrived, judged by what lies on the server. Pure.

The mails of a batch are looked at together: two equal mails that were sent are both there when the server has two. What
cannot be decided is in doubt, and is never sent again by itself.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal

import msgspec

DOUBT: Literal["doubt"] = "doubt"
Verdict = int | None | Literal["doubt"]
"""The UID under which a mail arrived; None: it did not; DOUBT: nobody can tell."""

# A server may count a last line end that was not sent.
_SIZE_SLACK = 2


class Trace(msgspec.Struct, frozen=True):
    """A mail that was being sent: `identity` (digest of its fields), `size` in CRLF form, `body` (canonical digest),
    flags and date as given. A UID below `uidnext` is not ours."""

    key: int
    identity: bytes
    size: int
    body: bytes
    flags: frozenset[str]
    date: int | None
    uidnext: int


class Sighting(msgspec.Struct, frozen=True):
    """A mail on the server that no other upload is known to have brought; `size` 0: the server does not say."""

    uid: int
    identity: bytes
    size: int
    flags: frozenset[str]
    date: int | None


BodyOf = Callable[[int], bytes | None]
"""The canonical digest of the mail with this UID, None where it cannot be read."""


def judge(traces: Iterable[Trace], sightings: Iterable[Sighting], body_of: BodyOf | None = None) -> dict[int, Verdict]:
    """The verdict for each trace, by its key. `body_of` is asked only where headers and size do not settle it."""
    by_evidence: defaultdict[tuple[bytes, int], list[Trace]] = defaultdict(list)
    seen: defaultdict[tuple[bytes, int], list[Sighting]] = defaultdict(list)
    for trace in traces:
        by_evidence[trace.identity, trace.size].append(trace)
    for sighting in sightings:
        seen[sighting.identity, sighting.size].append(sighting)
    verdicts: dict[int, Verdict] = {}
    for evidence, group in by_evidence.items():
        verdicts |= _group(group, seen.pop(evidence, []), body_of)
    left = [trace for group in by_evidence.values() for trace in group if verdicts[trace.key] is None]
    rest = [sighting for group in seen.values() for sighting in group]
    return verdicts | _by_near_size(left, rest)


def _group(traces: list[Trace], sightings: list[Sighting], body_of: BodyOf | None) -> dict[int, Verdict]:
    """Mails with the same headers and size."""
    lowest = min(trace.uidnext for trace in traces)
    there = sorted((each for each in sightings if each.uid >= lowest), key=lambda each: each.uid)
    if not there:
        return {trace.key: None for trace in traces}
    if len({(trace.body, trace.flags, trace.date) for trace in traces}) == 1:
        return _equal(traces, there)
    if body_of is not None and len({trace.body for trace in traces}) > 1:
        bodies = {each.uid: body_of(each.uid) for each in there}
        return _by_class(traces, there, lambda trace: trace.body, lambda each: bodies[each.uid])
    verdicts = _by_class(traces, there, lambda trace: (trace.flags, trace.date), lambda each: (each.flags, each.date))
    if len(there) == len(traces) and DOUBT in verdicts.values():
        return _equal(traces, there)
    return verdicts


def _equal(traces: Sequence[Trace], there: Sequence[Sighting]) -> dict[int, Verdict]:
    """Mails of which any may be any: as many arrived as are there, unless there are more, or some that are not ours."""
    waiting = sorted(traces, key=lambda trace: (trace.uidnext, trace.key))
    verdicts: dict[int, Verdict] = dict.fromkeys((trace.key for trace in traces), None)
    for sighting in there:
        if not waiting or waiting[0].uidnext > sighting.uid:
            return dict.fromkeys(verdicts, DOUBT)
        verdicts[waiting.pop(0).key] = sighting.uid
    return verdicts


def _by_class(
    traces: list[Trace],
    there: list[Sighting],
    of_trace: Callable[[Trace], Hashable],
    of_sighting: Callable[[Sighting], Hashable],
) -> dict[int, Verdict]:
    """Settle each class by itself; a mail on the server that fits none may be any that is not found."""
    sent: defaultdict[Hashable, list[Trace]] = defaultdict(list)
    seen: defaultdict[Hashable, list[Sighting]] = defaultdict(list)
    for trace in traces:
        sent[of_trace(trace)].append(trace)
    for sighting in there:
        seen[of_sighting(sighting)].append(sighting)
    verdicts: dict[int, Verdict] = {}
    for key, group in sent.items():
        found = seen.pop(key, [])
        bodies, ways = {trace.body for trace in group}, {(trace.flags, trace.date) for trace in group}
        if len(ways) > 1 and len(bodies) == 1:
            verdicts |= _group(group, found, None)
        elif len(bodies) > 1 and 0 < len(found) < len(group):
            verdicts |= {trace.key: DOUBT for trace in group}
        else:
            verdicts |= _equal(group, found)
    strange = sorted((each for group in seen.values() for each in group), key=lambda each: each.uid)
    missing = [trace for trace in traces if verdicts[trace.key] is None]
    if len(strange) == len(missing):
        # As many that fit none as are not found: the server changed them, or somebody gave them other flags.
        verdicts |= _equal(missing, strange)
    elif strange:
        verdicts |= {trace.key: DOUBT for trace in missing}
    return verdicts


def _by_near_size(traces: list[Trace], sightings: list[Sighting]) -> dict[int, Verdict]:
    """Mails that the server counts a little otherwise: only where one can be but one other."""
    fitting = {
        trace.key: [
            each
            for each in sightings
            if each.identity == trace.identity
            and each.uid >= trace.uidnext
            and (each.size == 0 or abs(each.size - trace.size) <= _SIZE_SLACK)
        ]
        for trace in traces
    }
    claims: defaultdict[int, int] = defaultdict(int)
    for found in fitting.values():
        for each in found:
            claims[each.uid] += 1
    verdicts: dict[int, Verdict] = {}
    for key, found in fitting.items():
        if not found:
            verdicts[key] = None
        else:
            verdicts[key] = found[0].uid if len(found) == 1 and claims[found[0].uid] == 1 else DOUBT
    return verdicts
