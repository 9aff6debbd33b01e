"""From the copies of one mail to the rows of the panes: who stands beside whom, and what is said of it."""

from collections.abc import Container, Iterator, Mapping

import msgspec

from hikkoshi.index.compare import Copy, Mail
from hikkoshi.index.relation import UPLOAD, Relation
from hikkoshi.index.schema import LOCAL
from hikkoshi.mail.flags import SEEN, comparable, unpack
from hikkoshi.mail.folders import LEFT_OUT, Role


class Place(msgspec.Struct, frozen=True):
    """What pairing asks of a folder: its role, and for a local one the row id of the server folder it maps to.

    `sent`: mail sent is kept here; also true of a server folder that a local one of role sent is mapped to.
    """

    role: Role
    target: int | None = None
    sent: bool = False


class PairRow(msgspec.Struct, frozen=True):
    """One row: a local copy, a server copy, or both; `lead` counts the mail's facts (see schema)."""

    local: Copy | None
    server: Copy | None
    relation: Relation
    lead: bool
    why: str


def pair_up(mail: Mail, places: Mapping[int, Place], partial: Container[int]) -> Iterator[PairRow]:
    """The rows of one mail. `places` by folder row id; `partial`: row ids of messages that are headers only."""

    def left_out(copy: Copy) -> bool:
        return copy.id in partial or places[copy.folder].role in LEFT_OUT

    compared, aside, server = [], [], []
    for copy in mail.copies:
        if copy.side != LOCAL:
            server.append(copy)
        elif left_out(copy):
            aside.append(copy)
        else:
            compared.append(copy)
    surplus = _surplus(compared, places) | _surplus(server, places)
    couples, server_left = _couples(compared, server, places)
    facts = _facts(mail, compared, server, places)
    lead = _lead(compared, places)
    for local, beside in couples:
        relation = _of_couple(local, beside, places) if beside else Relation.SAME
        relation |= facts if local is lead else facts & _facts_of_copy(local, places)
        if local is not lead and not beside:
            relation |= Relation.COPY
        yield _row(local, beside, relation, surplus, local is lead, mail.why)
    known_here = any(not left_out(copy) for copy in mail.rivals) if mail.doubtful else bool(compared or aside)
    yield from _server_rows(mail, server_left, places, surplus, lead=not known_here)
    for local in aside:
        # A partial mail stands beside nothing: the whole of it on the server is another row.
        yield PairRow(local, None, Relation.LEFT_OUT, lead=False, why=mail.why)


def _server_rows(
    mail: Mail, copies: list[Copy], places: Mapping[int, Place], surplus: set[int], *, lead: bool
) -> Iterator[PairRow]:
    """Server copies that stand beside no local one. `lead`: no row of the PC counts for them."""
    for copy in sorted(copies, key=lambda copy: (places[copy.folder].role in LEFT_OUT, copy.id)):
        if places[copy.folder].role in LEFT_OUT:
            relation = Relation.LEFT_OUT
        elif mail.doubtful:
            relation = Relation.AMBIGUOUS
        elif lead:
            relation = Relation.ONLY_SERVER
        else:
            relation = Relation.COPY
        counts = lead and relation in (Relation.ONLY_SERVER, Relation.AMBIGUOUS)
        yield _row(None, copy, relation, surplus, counts, mail.why)
        lead = lead and not counts


def _row(
    local: Copy | None, server: Copy | None, relation: Relation, surplus: set[int], lead: bool, why: str
) -> PairRow:
    if local and local.id in surplus:
        relation |= Relation.DUPLICATE_LOCAL
    if server and server.id in surplus:
        relation |= Relation.DUPLICATE_SERVER
    return PairRow(local, server, relation, lead, why)


def _facts(mail: Mail, compared: list[Copy], server: list[Copy], places: Mapping[int, Place]) -> Relation:
    """What is said of the mail as a whole; it stands on its leading row."""
    if mail.doubtful:
        return Relation.AMBIGUOUS
    facts = Relation.SAME
    if not server:
        facts |= Relation.ONLY_LOCAL
    elif not any(places[copy.folder].target == other.folder for copy in compared for other in server):
        facts |= Relation.ELSEWHERE
    if any(places[copy.folder].sent for copy in compared) and not any(places[copy.folder].sent for copy in server):
        facts |= Relation.SENT_GAP
    return facts


def _facts_of_copy(local: Copy, places: Mapping[int, Place]) -> Relation:
    """Which of the mail's facts stand on a further copy, too: those that uploading this copy would settle."""
    return UPLOAD if places[local.folder].sent else Relation.ONLY_LOCAL


def _lead(compared: list[Copy], places: Mapping[int, Place]) -> Copy | None:
    """The copy that stands for the mail: a sent one first, else the largest (another may have lost its attachments)."""
    if not compared:
        return None
    return max(compared, key=lambda copy: (places[copy.folder].sent, copy.size, -copy.id))


def _surplus(copies: list[Copy], places: Mapping[int, Place]) -> set[int]:
    """Row ids of all but the first copy within each folder that is not left out."""
    seen: set[int] = set()
    surplus: set[int] = set()
    for copy in sorted(copies, key=lambda copy: copy.id):
        if places[copy.folder].role in LEFT_OUT:
            continue
        if copy.folder in seen:
            surplus.add(copy.id)
        seen.add(copy.folder)
    return surplus


def _couples(
    local: list[Copy], server: list[Copy], places: Mapping[int, Place]
) -> tuple[list[tuple[Copy, Copy | None]], list[Copy]]:
    """Each local copy with its server copy, and the server copies left: mapped folders first, equal flags first."""
    left = list(server)
    beside: dict[int, Copy] = {}

    def match(fits_folder: bool, fits_flags: bool) -> None:
        for copy in local:
            if copy.id in beside:
                continue
            for other in left:
                if fits_folder and places[copy.folder].target != other.folder:
                    continue
                if fits_flags and copy.flags != other.flags:
                    continue
                beside[copy.id] = other
                left.remove(other)
                break

    if len(local) == len(server) == 1:
        return [(local[0], server[0])], []
    for fits_folder in (True, False):
        match(fits_folder, fits_flags=True)
        match(fits_folder, fits_flags=False)
    return [(copy, beside.get(copy.id)) for copy in local], left


def _of_couple(local: Copy, server: Copy, places: Mapping[int, Place]) -> Relation:
    """What differs between two copies that stand beside each other."""
    drafts = Role.DRAFTS in (places[local.folder].role, places[server.folder].role)
    return flags_relation(local.flags, server.flags, drafts=drafts)


def flags_relation(one: str, other: str, *, drafts: bool) -> Relation:
    """What two packed sets of flags make of a pair. `drafts`: one of the two lies in a folder of that role."""
    if one == other:
        return Relation.SAME
    ours, theirs = unpack(one), unpack(other)
    relation = Relation.SAME
    if (SEEN in ours) != (SEEN in theirs):
        relation |= Relation.READ
    if comparable(ours, drafts=drafts) != comparable(theirs, drafts=drafts):
        relation |= Relation.FLAGS
    return relation
