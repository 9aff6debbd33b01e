import pytest

from hikkoshi.advice.hazards import hazards
from hikkoshi.advice.report import plan_lines
from hikkoshi.mail.folders import Role
from hikkoshi.move.plan import FolderShare, Plan
from hikkoshi.move.room import Load


def plan(*shares: FolderShare) -> Plan:
    return Plan((), shares, (), ())


def share(name: str, role: Role, messages: int = 2) -> FolderShare:
    return FolderShare(name, name, False, Load(1000, messages), role)


def test_mail_put_into_the_inbox_may_be_fetched_by_pop_again() -> None:
    (told,) = hazards(plan(share("INBOX", Role.INBOX), share("Sent", Role.SENT), share("Projects", Role.NONE)))
    assert "2 mails" in told
    assert "INBOX" in told
    assert "POP" in told
    assert "--map" in told


@pytest.mark.parametrize("role", [Role.TRASH, Role.JUNK])
def test_mail_put_where_servers_purge_may_not_stay(role: Role) -> None:
    (told,) = hazards(plan(share("迷惑\x1b[2J", role, 1)))
    assert told.startswith("1 mail would go into 迷惑\ufffd[2J,")


def test_a_plan_without_hazards_has_none() -> None:
    harmless = [share(role.value, role) for role in Role if role not in (Role.INBOX, Role.TRASH, Role.JUNK)]
    assert hazards(plan(*harmless)) == []
    assert hazards(plan(share("INBOX", Role.INBOX, 0))) == []


def test_the_lines_of_a_plan_tell_its_hazards_last() -> None:
    lines = plan_lines(plan(share("INBOX", Role.INBOX)))
    assert lines[0] == "2 mails, 1,000 B, would be uploaded"
    assert lines[-1].startswith("Note: 2 mails would go into the server's INBOX.")
