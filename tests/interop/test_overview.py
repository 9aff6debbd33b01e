"""One look at an account in one or two round trips says what one question after the other says."""

from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.session import ServerSession
from support.moving import mail, uploaded
from support.sides import NOON, Sides


def login_to(sides: Sides) -> Login:
    return sides.session.login


def test_the_overview_is_what_single_questions_say(sides: Sides) -> None:
    made = [sides.native("見積", "R&D"), sides.native("Sent")]
    sides.other.create(made[0])
    for number in range(3):
        sides.other.append("INBOX", uploaded(mail(f"in-{number}")), ["\\Seen"], NOON)
    with Bulk.open(login_to(sides)) as bulk:
        overview = bulk.overview(made)
        again = bulk.quota(["INBOX", *made])
    with ServerSession.open(login_to(sides)) as session:
        # Dovecot lists in another order when it looks into the folders meanwhile.
        assert sorted(overview.folders, key=lambda each: each.native) == sorted(
            session.folders(), key=lambda each: each.native
        )
        assert overview.namer()(("x/y", "z.u")) == session.namer()(("x/y", "z.u"))
        assert overview.append_limit == session.append_limit
        assert overview.quota == again == session.quota(["INBOX", *made])
        for native, state in overview.states.items():
            told = session.status(native)
            assert (state.messages, state.uidvalidity, state.uidnext) == (
                told.messages, told.uidvalidity, told.uidnext,
            )  # fmt: skip
        if overview.states:
            assert set(overview.states) == {folder.native for folder in session.folders() if folder.selectable}
            assert overview.states["INBOX"].messages == 3


def test_the_quota_of_a_folder_that_is_not_there_yet(sides: Sides) -> None:
    """Dovecot and Cyrus tell it, Courier does not; none of them is put out of step by the question."""
    native = sides.native("nowhere, 見積")
    with Bulk.open(login_to(sides)) as bulk, ServerSession.open(login_to(sides)) as session:
        assert bulk.quota([native, "INBOX"]) == session.quota([native, "INBOX"])
        assert bulk.examine("INBOX").messages == 0
