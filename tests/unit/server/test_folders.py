"""Folders from the LIST and NAMESPACE answers of real servers."""

from hikkoshi.mail.folders import Folder, Role
from hikkoshi.server.folders import (
    Namespace,
    ancestors,
    folder_records,
    has_special_use,
    listed,
    merged,
    namespace,
    native_path,
)
from hikkoshi.server.lexer import Parts


def records(*answers: bytes | Parts, spaces: Namespace = Namespace("", "/")) -> dict[str, Folder]:  # noqa: B008
    entries = [listed(answer if isinstance(answer, list) else [answer]) for answer in answers]
    return {folder.name: folder for folder in folder_records([entry for entry in entries if entry], spaces)}


def roles(folders: dict[str, Folder]) -> dict[str, Role]:
    return {name: folder.role for name, folder in folders.items() if folder.role != Role.NONE}


def test_dovecot_with_a_prefix() -> None:
    spaces = namespace([b'(("INBOX." ".")) NIL NIL'])
    folders = records(
        b'(\\HasChildren) "." INBOX',
        b'(\\HasNoChildren \\UnMarked \\Sent) "." INBOX.&kAFP4W4IMH8-',
        b'(\\HasNoChildren) "." INBOX.a.b/c',
        b'(\\HasNoChildren) "." "INBOX.INBOX"',
        spaces=spaces,
    )

    assert spaces == Namespace("INBOX.", ".")
    assert folders["INBOX"].role == Role.INBOX
    assert folders["送信済み"] == Folder("送信済み", ("送信済み",), Role.SENT, "INBOX.送信済み")
    assert folders["a/b/c"].path == ("a", "b/c")
    assert folders["INBOX/INBOX"].role == Role.NONE


def test_courier_has_names_alone() -> None:
    folders = records(
        b'(\\HasNoChildren) "." "INBOX.Sent"',
        b'(\\Marked \\HasChildren) "." "INBOX"',
        b'(\\HasNoChildren) "." "INBOX.Trash"',
        b'(\\HasNoChildren) "." "INBOX.Old.Sent"',
        spaces=namespace([b'(("INBOX." ".")) NIL (("#shared." ".")("shared." "."))']),
    )

    assert roles(folders) == {"Sent": Role.SENT, "INBOX": Role.INBOX, "Trash": Role.TRASH}


def test_cyrus_writes_attributes_in_lower_case() -> None:
    folders = records(b'(\\hasnochildren \\sent) "/" Gesendet', b'(\\noselect \\archive) "/" Ablage', b'() "/" inbox')

    assert folders["Gesendet"].role == Role.SENT
    assert (folders["Ablage"].role, folders["Ablage"].selectable) == (Role.NONE, False)
    assert folders["INBOX"] == Folder("INBOX", ("INBOX",), Role.INBOX, "inbox")


def test_parents_that_only_hold_others_are_listed_but_not_selectable() -> None:
    folders = records(b'(\\Noselect) "/" a', b'(\\NonExistent) "/" b', b'(\\HasNoChildren) "/" a/Trash')

    assert [folder.selectable for folder in folders.values()] == [False, False, True]


def test_attributes_win_over_names_and_may_name_several_folders() -> None:
    folders = records(
        b'() "/" Sent', b'(\\Sent) "/" "Sent Items"', b'(\\Sent) "/" "Sent Messages"', b'(\\Junk) "/" Bulk', b'() "/" Spam'
    )  # fmt: skip

    assert roles(folders) == {"Sent Items": Role.SENT, "Sent Messages": Role.SENT, "Bulk": Role.JUNK}


def test_by_name_one_folder_has_a_role_the_top_level_first() -> None:
    folders = records(
        b'() "/" a/Sent', b'() "/" "Sent Items"', b'() "/" Sent', b'() "/" b/Drafts', b'(\\Noselect) "/" Trash', b'() "/" Inbox2'
    )  # fmt: skip

    assert roles(folders) == {"Sent Items": Role.SENT, "b/Drafts": Role.DRAFTS}


def test_folders_of_others_have_no_role_by_name_and_keep_their_prefix() -> None:
    spaces = namespace([b'(("" "/")) (("Users/" "/")) (("Public/" "/"))'])
    folders = records(b'() "/" Users/bob/Sent', b'() "/" Public/Trash', spaces=spaces)

    assert roles(folders) == {}
    assert folders["Users/bob/Sent"].path == ("Users", "bob", "Sent")


def test_names_as_literals_with_quotes_or_without_delimiter() -> None:
    folders = records(
        [b'() "/" {7}', b'a "b" c', b""], rb'() "/" "d\"\\e"', b"() NIL a/b", [b"() NIL {6}", "見積".encode(), b""]
    )

    assert [folder.path for folder in folders.values()] == [('a "b" c',), ('d"\\e',), ("a/b",), ("見積",)]


def test_a_name_is_one_folders_alone() -> None:
    folders = records(b'() "." a/b', b'() "." a.b', spaces=Namespace("", "."))

    assert {folder.native for folder in folders.values()} == {"a/b", "a.b"}
    assert set(folders) == {"a/b", "a.b"}


def test_a_hostile_name_is_shown_harmless_and_never_sent() -> None:
    [folder] = records([b'() "/" {22}', b"x\r\nh9 DELETE INBOX\x1b[2J", b""]).values()

    assert not folder.selectable
    assert folder.name.isprintable()


def test_special_use_that_was_asked_for_is_added() -> None:
    plain = [entry for line in (b'(\\HasNoChildren) "/" A', b'() "/" B') if (entry := listed([line]))]
    special = [entry for line in (b'(\\Sent) "/" "A"',) if (entry := listed([line]))]

    assert not has_special_use(plain)
    assert has_special_use(special)
    assert [sorted(entry.attributes) for entry in merged(plain, special)] == [["\\hasnochildren", "\\sent"], []]


def test_namespaces() -> None:
    assert namespace(None) == Namespace()
    assert namespace([b"NIL NIL NIL"]) == Namespace()
    assert namespace([b'(("Other." ".")("" "/")) NIL NIL']) == Namespace("", "/")
    assert namespace([b'(("" NIL)) NIL NIL']) == Namespace("", "")
    assert namespace([b"(({6}", b"INBOX.", b' "." "X-PARAM" ("a"))) NIL NIL']) == Namespace("INBOX.", ".")


def test_native_names_of_new_folders() -> None:
    assert native_path(("a.b", "c/d"), Namespace("INBOX.", ".")) == "INBOX.a_b.c/d"
    assert native_path(("a.b", "c/d"), Namespace("", "/")) == "a.b/c_d"
    assert native_path(("a", "b"), Namespace("", "")) == "a_b"


def test_ancestors_start_below_the_prefix() -> None:
    assert ancestors("INBOX.a.b", Namespace("INBOX.", ".")) == ["INBOX.a", "INBOX.a.b"]
    assert ancestors("a/b/c", Namespace("", "/")) == ["a", "a/b", "a/b/c"]
    assert ancestors("a/b", Namespace("", "")) == ["a/b"]
