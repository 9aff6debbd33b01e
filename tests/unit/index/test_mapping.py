import pytest
from msgspec.structs import replace

from hikkoshi.errors import UsageError
from hikkoshi.index.mapping import Target, find_local, map_folders
from hikkoshi.mail.folders import Folder, Role
from support.planted import folder


def at_dots(path: tuple[str, ...]) -> str:
    """Native names on a server with the prefix `INBOX.` and the delimiter `.`."""
    return "INBOX." + ".".join(level.replace(".", "_") for level in path)


def at_slashes(path: tuple[str, ...]) -> str:
    return "/".join(level.replace("/", "_") for level in path)


def targets(
    local: list[Folder], server: list[Folder], overrides: dict[str, str] | None = None, native: object = at_slashes
) -> dict[str, Target]:
    return map_folders(local, server, overrides or {}, native)  # type: ignore[arg-type]


def below_inbox(name: str, role: Role = Role.NONE) -> Folder:
    """A folder of the server with the prefix `INBOX.`: its path is without it."""
    return Folder(name.replace(".", "/"), tuple(name.split(".")), role, f"INBOX.{name}")


INBOX = folder("INBOX")


@pytest.mark.parametrize(
    ("local", "server"),
    [
        ("Sent", "送信済みトレイ"),
        ("送信済みアイテム", "Sent Messages"),
        ("下書き", "Drafts"),
        ("ごみ箱", "Deleted Items"),
        ("受信トレイ", "INBOX"),
        ("Archives", "アーカイブ"),
        ("ひな形", "Templates"),
    ],
)
def test_folders_of_one_role_belong_together_whatever_they_are_called(local: str, server: str) -> None:
    there = [INBOX, folder("Projects"), folder(server)]
    assert targets([folder(local)], there) == {local: Target(server, exists=True)}


def test_the_role_wins_over_the_name() -> None:
    flagged = replace(folder("Gesendet"), role=Role.SENT)
    assert targets([folder("Sent")], [replace(folder("Sent"), role=Role.NONE), flagged])["Sent"].native == "Gesendet"


def test_of_several_folders_with_a_role_the_first_is_taken() -> None:
    one, other = (replace(folder(name), role=Role.SENT) for name in ("A", "B"))
    assert targets([folder("Sent")], [one, other])["Sent"].native == "A"


@pytest.mark.parametrize(
    ("local", "new"), [("送信済み", "Sent"), ("下書き", "Drafts"), ("迷惑メール", "Junk"), ("ごみ箱", "Trash")]
)
def test_a_role_that_the_server_lacks_gets_a_folder_with_the_name_that_all_know(local: str, new: str) -> None:
    assert targets([folder(local)], [INBOX]) == {local: Target(new, exists=False)}
    assert targets([folder(local)], [INBOX], native=at_dots) == {local: Target(f"INBOX.{new}", exists=False)}


@pytest.mark.parametrize(
    ("local", "server"),
    [("Projects/2024", "projects/2024"), ("見積/2024", "見積/２０２４"), ("ﾒｰﾙ", "メール"), ("が", "か\u3099")],
)
def test_names_belong_together_level_by_level_without_case_and_width(local: str, server: str) -> None:
    assert targets([folder(local)], [INBOX, folder(server)])[local] == Target(server, exists=True)


def test_a_prefix_of_the_server_is_no_part_of_a_name() -> None:
    there = [INBOX, below_inbox("Projects.2024"), below_inbox("Sent", Role.SENT)]
    found = targets([folder("Projects/2024"), folder("Sent"), folder("Neu")], there, native=at_dots)
    assert [target.native for target in found.values()] == ["INBOX.Projects.2024", "INBOX.Sent", "INBOX.Neu"]


def test_a_level_that_contains_the_servers_delimiter_stays_one_level() -> None:
    dotted = Folder("ver. 2.0/a.b", ("ver. 2.0", "a.b"), Role.NONE, "x")
    assert targets([dotted], [INBOX], native=at_dots)["x"] == Target("INBOX.ver_ 2_0.a_b", exists=False)
    made = below_inbox("ver_ 2_0.a_b")
    assert targets([dotted], [INBOX, made], native=at_dots)["x"] == Target("INBOX.ver_ 2_0.a_b", exists=True)


def test_what_lies_in_the_inbox_here_lies_in_the_inbox_there() -> None:
    child = Folder("受信トレイ/2024", ("受信トレイ", "2024"), Role.NONE, "x")
    assert targets([child], [INBOX])["x"] == Target("INBOX/2024", exists=False)
    assert targets([child], [INBOX, folder("INBOX/2024")])["x"] == Target("INBOX/2024", exists=True)


def test_several_local_folders_may_go_to_one() -> None:
    local = [folder("Sent"), replace(folder("Sent"), name="Local Folders/Sent", native="y")]
    assert {target.native for target in targets(local, [INBOX, folder("Sent")]).values()} == {"Sent"}


def test_a_folder_that_cannot_be_opened_is_no_target() -> None:
    parent = replace(folder("Projects"), selectable=False)
    assert targets([folder("Projects")], [INBOX, parent])["Projects"] == Target("Projects", exists=False)


def test_the_outbox_is_not_mapped_to_the_sent_folder() -> None:
    assert targets([folder("送信トレイ")], [INBOX, folder("Sent")])["送信トレイ"].native == "送信トレイ"


def test_the_users_word_wins() -> None:
    there = [INBOX, folder("Sent"), folder("Projects/2024")]
    found = targets([folder("Sent"), folder("Inbox")], there, {"sent": "projects/２０２４", "Inbox": "Neu/POP"})
    assert found == {"Sent": Target("Projects/2024", exists=True), "Inbox": Target("Neu/POP", exists=False)}


def test_a_server_folder_may_be_named_as_the_server_does() -> None:
    there = [INBOX, below_inbox("Projects")]
    for name in ("Projects", "INBOX.Projects"):
        assert targets([folder("Inbox")], there, {"Inbox": name}, at_dots)["Inbox"].native == "INBOX.Projects"


def test_a_mapping_of_a_local_folder_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"“Imbox”.*Inbox, Sent"):
        targets([folder("Inbox"), folder("Sent")], [INBOX], {"Imbox": "INBOX"})


@pytest.mark.parametrize("name", ["/", "//", " / "])
def test_a_server_folder_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name for a folder"):
        targets([folder("Inbox")], [INBOX], {"Inbox": name})


def test_stray_delimiters_around_a_new_folder_are_of_no_weight() -> None:
    assert targets([folder("Inbox")], [INBOX], {"Inbox": "/a//b/"})["Inbox"].native == "a/b"


def test_a_local_folder_is_found_by_its_full_name_before_its_path() -> None:
    own = folder("Sent")
    local = replace(folder("Sent"), name="Local Folders/Sent", native="y")
    assert find_local([own, local], "SENT") == [own]
    assert find_local([local], "sent") == [local]
    assert find_local([own, local], "Local Folders/Sent") == [local]
    assert find_local([own, local], "Neu") == []
