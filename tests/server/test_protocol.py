"""What a mover of mail relies on, asked of a real server and of the demo's alike."""

import base64
import re

import pytest
from imapclient import IMAPClient

from support.imap_wire import Wire
from support.served import Serve, Served

MAIL = (
    b"From: a@example.com\r\nSubject: one\r\nX-Long: a\r\n b\r\nMessage-ID: <1@example.com>\r\n\r\nfirst\r\nsecond\r\n"
)
HEADER, TEXT = MAIL.split(b"\r\n\r\n")[0] + b"\r\n\r\n", MAIL.split(b"\r\n\r\n")[1]


def append(wire: Wire, folder: str = "INBOX", mail: bytes = MAIL, before: str = "") -> bytes:
    reply = wire.command(f"APPEND {folder} {before}{{{len(mail)}}}", mail)
    assert reply.status == "OK", reply
    return reply.tagged


def uid_of(tagged: bytes) -> int:
    match = re.search(rb"APPENDUID \d+ (\d+)\]", tagged)
    assert match, tagged
    return int(match[1])


# Logging in


def test_the_password_decides(served: Served) -> None:
    with Wire(served.host, served.port) as wire:
        assert wire.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        refused = wire.command(f"LOGIN {served.user} wrong")
        assert (refused.status, refused.code) == ("NO", "AUTHENTICATIONFAILED")
        assert wire.command("SELECT INBOX").status == "BAD"
        assert wire.command(f"LOGIN {served.user} {{{len(served.password)}}}", served.password.encode()).status == "OK"


@pytest.mark.parametrize("at_once", [True, False])
def test_sasl_plain_logs_in(served: Served, at_once: bool) -> None:
    response = base64.b64encode(f"\0{served.user}\0{served.password}".encode())
    with Wire(served.host, served.port) as wire:
        if at_once:
            assert wire.command(b"AUTHENTICATE PLAIN " + response).status == "OK"
        else:
            assert wire.command("AUTHENTICATE PLAIN", response).status == "OK"
        assert wire.command("SELECT INBOX").status == "OK"


def test_the_extensions_that_a_move_uses_are_offered(wire: Wire) -> None:
    offered = set(wire.ok("CAPABILITY")[0].split()[2:])

    assert offered >= set(
        b"IMAP4rev1 LITERAL+ SASL-IR ID ENABLE UIDPLUS MULTIAPPEND UNSELECT CHILDREN NAMESPACE QUOTA SPECIAL-USE "
        b"STATUS=SIZE".split()
    )


def test_small_talk(wire: Wire) -> None:
    assert wire.ok("NAMESPACE") == [b'* NAMESPACE (("" "/")) NIL NIL']
    assert wire.ok('ID ("name" "hikkoshi")')[0].startswith(b'* ID ("name" ')
    assert wire.ok("NOOP") == []
    logout = wire.command("LOGOUT")
    assert logout.untagged[0].startswith(b"* BYE ")
    assert logout.status == "OK"
    assert wire.response() == b""


# Folders


def listed(lines: list[bytes]) -> dict[bytes, set[bytes]]:
    found = {}
    for line in lines:
        match = re.fullmatch(rb'\* L(?:IST|SUB) \(([^)]*)\) "/" "?(.*?)"?', line)
        assert match, line
        found[match[2]] = {flag.lower() for flag in match[1].split()}
    return found


def test_special_use_is_told_by_list(wire: Wire) -> None:
    folders = listed(wire.ok('LIST "" "*"'))

    assert b"\\sent" in folders[b"Sent"]
    assert b"\\trash" in folders[b"Trash"]
    assert b"\\drafts" in folders[b"Drafts"]
    assert b"INBOX" in folders


def test_levels_above_a_folder_are_listed_but_cannot_be_opened(wire: Wire) -> None:
    wire.ok("CREATE a/b/c")

    assert listed(wire.ok('LIST "" "a*"')) == {
        b"a": {b"\\noselect", b"\\haschildren"},
        b"a/b": {b"\\noselect", b"\\haschildren"},
        b"a/b/c": {b"\\hasnochildren"},
    }
    assert list(listed(wire.ok('LIST "" "a%"'))) == [b"a"]
    assert list(listed(wire.ok('LIST "a/" "%"'))) == [b"a/b"]
    assert wire.ok('LIST "" ""') == [b'* LIST (\\Noselect) "/" ""']
    assert wire.command("SELECT a").status == "NO"
    assert wire.command("STATUS a (MESSAGES)").status == "NO"


def test_names_are_modified_utf7(served: Served) -> None:
    with IMAPClient(served.host, served.port, ssl=False) as client:
        client.login(served.user, served.password)
        for name in ("見積", 'R&D "x" \\ y', "見積/2024 年"):
            client.create_folder(name)
            client.append(name, MAIL)
            assert client.folder_status(name, ["MESSAGES"]) == {b"MESSAGES": 1}
        assert {"見積", 'R&D "x" \\ y', "見積/2024 年"} <= {name for _, _, name in client.list_folders()}
    with served.connect() as wire:
        assert wire.command('CREATE "&Foo"').status == "NO"


def test_folders_are_made_renamed_and_removed(wire: Wire) -> None:
    wire.ok("CREATE one/two/")
    append(wire, "one/two")
    again = wire.command("CREATE one/two")
    assert (again.status, again.code) == ("NO", "ALREADYEXISTS")
    assert wire.command("CREATE INBOX").status == "NO"
    assert wire.command('CREATE ""').status == "NO"
    assert wire.command("CREATE x//y").status == "NO"
    wire.ok("RENAME one/two three")
    assert wire.ok("STATUS three (MESSAGES)")[0].endswith(b"(MESSAGES 1)")
    assert wire.command("RENAME nope x").code == "NONEXISTENT"
    wire.ok("DELETE three")
    assert wire.command("DELETE three").code == "NONEXISTENT"
    assert wire.command("DELETE INBOX").status == "NO"


def test_subscriptions(wire: Wire) -> None:
    wire.ok("CREATE mine")
    wire.ok("SUBSCRIBE mine")
    assert b"mine" in listed(wire.ok('LSUB "" "*"'))
    wire.ok("UNSUBSCRIBE mine")
    wire.ok("UNSUBSCRIBE mine")
    assert b"mine" not in listed(wire.ok('LSUB "" "*"'))
    assert wire.command("SUBSCRIBE nope").status == "NO"


def test_status_counts_messages_and_bytes(wire: Wire) -> None:
    append(wire, before="(\\Seen) ")
    append(wire)
    line = wire.ok("STATUS INBOX (MESSAGES UIDNEXT UNSEEN SIZE)")[0]

    assert line.endswith(f"(MESSAGES 2 UIDNEXT 3 UNSEEN 1 SIZE {2 * len(MAIL)})".encode())
    assert wire.command("STATUS INBOX (FOO)").status == "BAD"
    assert wire.command("STATUS nope (MESSAGES)").status == "NO"


# Appending


def test_append_keeps_bytes_flags_and_date(wire: Wire) -> None:
    tagged = append(wire, before='(\\Seen \\Flagged $Forwarded) " 1-Feb-2019 23:30:00 -0500" ')
    wire.ok("EXAMINE INBOX")
    answer = wire.ok(f"UID FETCH {uid_of(tagged)} (FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[])")[0]

    assert MAIL in answer
    assert f"RFC822.SIZE {len(MAIL)} ".encode() in answer
    assert b'INTERNALDATE "02-Feb-2019 04:30:00 +0000"' in answer
    assert set(re.search(rb"FLAGS \(([^)]*)\)", answer)[1].split()) - {b"\\Recent"} == {
        b"\\Seen", b"\\Flagged", b"$Forwarded",
    }  # fmt: skip


def test_a_literal_that_does_not_wait_is_taken(wire: Wire) -> None:
    wire.send(b"x1 APPEND INBOX {%d+}\r\n%s\r\n" % (len(MAIL), MAIL))
    assert wire.reply(b"x1").code == "APPENDUID"


def test_many_appends_at_once_are_answered_in_order(wire: Wire) -> None:
    for number in range(30):
        wire.send(b"x%d APPEND INBOX {%d+}\r\n%s\r\n" % (number, len(MAIL), MAIL))

    assert [uid_of(wire.reply(b"x%d" % number).tagged) for number in range(30)] == list(range(1, 31))


def test_multiappend_stores_all_with_their_own_flags(wire: Wire) -> None:
    size = len(MAIL)
    wire.send(
        b'x APPEND INBOX (\\Seen) "01-Feb-2019 00:00:00 +0000" {%d+}\r\n%s () {%d+}\r\n%s {%d+}\r\n%s\r\n'
        % (size, MAIL, size, MAIL, size, MAIL)
    )
    tagged = wire.reply(b"x").tagged
    assert re.match(rb"OK \[APPENDUID \d+ 1:3\] ", tagged), tagged
    wire.ok("EXAMINE INBOX")
    assert wire.ok("SEARCH SEEN") == [b"* SEARCH 1"]


def test_stored_form_has_crlf_and_no_nul(wire: Wire) -> None:
    append(wire, mail=b"Subject: x\n\na\x00b\nc\rd\n")
    wire.ok("EXAMINE INBOX")
    answer = wire.ok("FETCH 1 (RFC822.SIZE BODY.PEEK[])")[0]

    assert b"Subject: x\r\n\r\na\x80b\r\nc\rd\r\n" in answer
    assert b"RFC822.SIZE 24 " in answer


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        ("APPEND nope {10}", "NO", "TRYCREATE"),
        ("APPEND INBOX (\\Foo) {10}", "BAD", ""),
        ("APPEND INBOX (\\Recent) {10}", "BAD", ""),
        ('APPEND INBOX "yesterday" {10}', "BAD", ""),
        ("APPEND INBOX {0}", "NO", ""),
        ("APPEND INBOX", "BAD", ""),
        ("APPEND INBOX ()", "BAD", ""),
    ],
)
def test_an_append_that_cannot_be_is_refused_before_the_mail_is_sent(
    wire: Wire, line: str, status: str, code: str
) -> None:
    reply = wire.command(line)

    assert (reply.untagged, reply.status, reply.code) == ([], status, code)
    assert wire.command("NOOP").status == "OK"


def test_a_folders_name_may_be_a_literal_too(wire: Wire) -> None:
    assert wire.command("APPEND {5}", b"INBOX", MAIL).code == "APPENDUID"


def test_a_refused_literal_that_was_sent_all_the_same_is_no_command(wire: Wire) -> None:
    evil = b"x2 CREATE evil\r\n"
    wire.send(b"x1 APPEND nope {%d+}\r\n%s\r\n" % (len(evil), evil))
    assert wire.reply(b"x1").code == "TRYCREATE"
    assert wire.command("STATUS evil (MESSAGES)").status == "NO"


# Quota


def test_quota_is_told_in_kib_rounded_up(serve: Serve) -> None:
    with serve(storage=100, messages=5).connect() as wire:
        append(wire, mail=MAIL + b"x" * (3000 - len(MAIL)))
        root, quota = wire.ok("GETQUOTAROOT INBOX")
        assert re.fullmatch(rb'\* QUOTAROOT "?INBOX"? "User quota"', root)
        assert quota == b'* QUOTA "User quota" (STORAGE 3 100 MESSAGE 1 5)'
        assert wire.ok('GETQUOTA "User quota"') == [quota]
        assert wire.command("GETQUOTA nope").status == "NO"
        assert wire.command('SETQUOTA "User quota" (STORAGE 9)').status == "NO"


def test_storage_over_quota_is_refused_and_stores_nothing(serve: Serve) -> None:
    with serve(storage=10).connect() as wire:
        append(wire, mail=MAIL + b"x" * 8000)
        refused = wire.command("APPEND INBOX {3000}")
        assert (refused.status, refused.code) == ("NO", "OVERQUOTA")
        append(wire, mail=MAIL)
        assert wire.ok("STATUS INBOX (MESSAGES)")[0].endswith(b"(MESSAGES 2)")


def test_a_multiappend_over_quota_stores_nothing(serve: Serve) -> None:
    with serve(messages=2).connect() as wire:
        one = b" {%d+}\r\n%s" % (len(MAIL), MAIL)
        wire.send(b"x APPEND INBOX" + one * 3 + b"\r\n")
        assert wire.reply(b"x").code == "OVERQUOTA"
        assert wire.ok("STATUS INBOX (MESSAGES)")[0].endswith(b"(MESSAGES 0)")
        wire.send(b"y APPEND INBOX" + one * 2 + b"\r\n")
        assert wire.reply(b"y").code == "APPENDUID"
        assert wire.command(f"APPEND INBOX {{{len(MAIL)}}}").code == "OVERQUOTA"


def test_a_mail_that_is_too_large_is_refused(serve: Serve) -> None:
    with serve(max_mail=4).connect() as wire:
        refused = wire.command("APPEND INBOX {5000}")
        assert (refused.status, refused.code) == ("NO", "LIMIT")
        append(wire)


# Reading


def test_looking_changes_nothing(wire: Wire) -> None:
    append(wire)
    opened = wire.command("EXAMINE INBOX")
    assert opened.code == "READ-ONLY"
    assert b"* 1 EXISTS" in opened.untagged
    assert any(line.startswith(b"* OK [UIDVALIDITY ") for line in opened.untagged)
    assert any(line.startswith(b"* OK [UIDNEXT 2]") for line in opened.untagged)
    wire.ok("FETCH 1 BODY[]")
    assert wire.command("STORE 1 +FLAGS (\\Seen)").status in ("NO", "OK")
    wire.ok("SELECT INBOX")
    wire.ok("FETCH 1 BODY.PEEK[]")
    assert wire.ok("SEARCH UNSEEN") == [b"* SEARCH 1"]
    assert b"\\Seen" in b"".join(wire.ok("FETCH 1 BODY[]"))


def test_permanent_flags_say_whether_keywords_can_be_kept(wire: Wire) -> None:
    assert any(b"[PERMANENTFLAGS ()]" in line for line in wire.ok("EXAMINE INBOX"))
    assert any(b"[PERMANENTFLAGS (" in line and b"\\*" in line for line in wire.ok("SELECT INBOX"))


@pytest.mark.parametrize(
    ("item", "label", "data"),
    [
        ("BODY.PEEK[]", "BODY[]", MAIL),
        ("BODY.PEEK[HEADER]", "BODY[HEADER]", HEADER),
        ("BODY.PEEK[TEXT]", "BODY[TEXT]", TEXT),
        ("BODY.PEEK[]<5.10>", "BODY[]<5>", MAIL[5:15]),
        ("BODY.PEEK[]<1000.10>", "BODY[]<1000>", b""),
        ("RFC822.HEADER", "RFC822.HEADER", HEADER),
        (
            "BODY.PEEK[HEADER.FIELDS (message-id X-LONG nope)]",
            "BODY[HEADER.FIELDS (MESSAGE-ID X-LONG NOPE)]",
            b"X-Long: a\r\n b\r\nMessage-ID: <1@example.com>\r\n\r\n",
        ),
        (
            "BODY.PEEK[HEADER.FIELDS.NOT (From X-Long Message-ID)]",
            "BODY[HEADER.FIELDS.NOT (FROM X-LONG MESSAGE-ID)]",
            b"Subject: one\r\n\r\n",
        ),
    ],
)
def test_parts_of_a_mail(wire: Wire, item: str, label: str, data: bytes) -> None:
    append(wire)
    wire.ok("EXAMINE INBOX")
    (answer,) = wire.ok(f"FETCH 1 ({item})")

    expected = {b"* 1 FETCH (%s {%d}\r\n%s)" % (label.encode(), len(data), data)}
    if not data:
        expected.add(b'* 1 FETCH (%s "")' % label.encode())
    assert answer in expected


def test_uid_fetch_passes_over_what_is_not_there(wire: Wire) -> None:
    append(wire)
    append(wire)
    wire.ok("EXAMINE INBOX")

    assert wire.ok("UID FETCH 5:9 FLAGS") == []
    assert len(wire.ok("UID FETCH 2:* FLAGS")) == 1
    assert len(wire.ok("UID FETCH 9:* (UID)")) == 1  # * is the last one, wherever the other end is
    assert b"UID 1 " in wire.ok("UID FETCH 1 FLAGS")[0].replace(b"(UID 1)", b"(UID 1 )")
    assert wire.command("FETCH 3 FLAGS").status == "BAD"
    assert wire.command("UID FETCH abc FLAGS").status == "BAD"
    assert wire.command("FETCH 1 FOO").status == "BAD"


def test_imapclient_reads_what_the_bulk_listing_asks_for(served: Served) -> None:
    with IMAPClient(served.host, served.port, ssl=False) as client:
        client.login(served.user, served.password)
        client.append("INBOX", MAIL, ["\\Seen", "$label1"])
        client.select_folder("INBOX", readonly=True)
        asked = ["FLAGS", "RFC822.SIZE", "INTERNALDATE", "BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID)]"]
        found = client.fetch([1], asked)[1]

        assert {b"\\Seen", b"$label1"} <= set(found[b"FLAGS"])
        assert found[b"RFC822.SIZE"] == len(MAIL)
        assert found[b"BODY[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID)]"] == (
            b"From: a@example.com\r\nSubject: one\r\nMessage-ID: <1@example.com>\r\n\r\n"
        )
        assert client.multiappend("INBOX", [{"msg": MAIL, "flags": []}, {"msg": MAIL, "flags": ["\\Seen"]}])
        assert client.get_quota_root("INBOX")[1][0].quota_root == "User quota"


def test_search_finds_by_flag_header_size_and_date(wire: Wire) -> None:
    append(wire, before='(\\Seen $label1) "05-May-2020 12:00:00 +0000" ')
    append(wire, mail=MAIL.replace(b"<1@", b"<2@") + b"x" * 2000, before='(\\Deleted) "06-May-2020 12:00:00 +0000" ')
    wire.ok("EXAMINE INBOX")

    for keys, found in {
        "ALL": b" 1 2",
        "SEEN": b" 1",
        "NOT SEEN": b" 2",
        "UNDELETED": b" 1",
        "KEYWORD $label1": b" 1",
        "UNKEYWORD $label1": b" 2",
        "OR SEEN DELETED": b" 1 2",
        "(SEEN DELETED)": b"",
        "UID 2:9": b" 2",
        "1": b" 1",
        "LARGER 1000": b" 2",
        "SMALLER 1000": b" 1",
        "SINCE 6-May-2020": b" 2",
        "BEFORE 6-May-2020": b" 1",
        "ON 5-May-2020": b" 1",
        "HEADER Message-ID <2@example.com>": b" 2",
        "CHARSET UTF-8 SUBJECT one": b" 1 2",
        "TEXT second": b" 1 2",
    }.items():
        assert wire.ok(f"UID SEARCH {keys}") == [b"* SEARCH" + found], keys
    assert wire.command("SEARCH FOO").status == "BAD"
    assert wire.command("SEARCH CHARSET KLINGON ALL").code == "BADCHARSET"


# Changing what is ours


def test_store_adds_takes_and_replaces_flags(wire: Wire) -> None:
    append(wire)
    wire.ok("SELECT INBOX")
    assert b"\\Seen" in wire.ok("UID STORE 1 +FLAGS (\\Seen $mine)")[-1]
    assert b"\\Seen" not in wire.ok("STORE 1 -FLAGS \\Seen")[-1]
    assert not any(b"FETCH" in line for line in wire.ok("UID STORE 1 FLAGS.SILENT (\\Answered)"))
    assert wire.ok("SEARCH ANSWERED UNSEEN UNKEYWORD $mine") == [b"* SEARCH 1"]
    assert wire.command("STORE 1 +FLAGS (\\Foo)").status == "BAD"


def test_only_the_named_uids_are_expunged(wire: Wire) -> None:
    for _ in range(3):
        append(wire, before="(\\Deleted) ")
    wire.ok("SELECT INBOX")
    assert [line for line in wire.ok("UID EXPUNGE 2") if b"EXPUNGE" in line] == [b"* 2 EXPUNGE"]
    assert wire.ok("UID SEARCH ALL") == [b"* SEARCH 1 3"]
    assert sorted(line for line in wire.ok("EXPUNGE") if b"EXPUNGE" in line) == [b"* 1 EXPUNGE", b"* 2 EXPUNGE"]


def test_close_expunges_and_unselect_does_not(wire: Wire) -> None:
    append(wire, before="(\\Deleted) ")
    wire.ok("SELECT INBOX")
    wire.ok("UNSELECT")
    assert wire.command("UID SEARCH ALL").status == "BAD"
    assert wire.ok("STATUS INBOX (MESSAGES)")[0].endswith(b"(MESSAGES 1)")
    wire.ok("SELECT INBOX")
    wire.ok("CLOSE")
    assert wire.ok("STATUS INBOX (MESSAGES)")[0].endswith(b"(MESSAGES 0)")


def test_copies_keep_flags_and_dates(wire: Wire) -> None:
    append(wire, before='(\\Seen) "05-May-2020 12:00:00 +0000" ')
    wire.ok("SELECT INBOX")
    tagged = wire.command("UID COPY 1 Sent").tagged
    assert re.match(rb"OK \[COPYUID \d+ 1 1\] ", tagged)
    assert wire.command("COPY 1 nope").code == "TRYCREATE"
    assert wire.command("COPY 2 Sent").status == "BAD"
    wire.ok("EXAMINE Sent")
    (answer,) = wire.ok("FETCH 1 (FLAGS INTERNALDATE)")
    assert b"\\Seen" in answer
    assert b'"05-May-2020 12:00:00 +0000"' in answer


def test_a_connection_hears_of_what_another_did(served: Served) -> None:
    with served.connect() as one, served.connect() as other:
        append(one)
        append(one)
        one.ok("SELECT INBOX")
        append(other)
        assert b"* 3 EXISTS" in one.ok("NOOP")
        other.ok("SELECT INBOX")
        other.ok("STORE 2 +FLAGS (\\Deleted)")
        other.ok("EXPUNGE")
        assert b"* 2 EXPUNGE" in one.ok("NOOP")
        assert one.ok("UID SEARCH ALL") == [b"* SEARCH 1 3"]


# What makes no sense


@pytest.mark.parametrize(
    "line",
    [
        b"FOO",
        b"SELECT",
        b"SELECT (",
        b"SELECT INBOX INBOX INBOX (",
        b"FETCH 1 FLAGS",
        b"UID",
        b"UID NOOP",
        b'LOGIN "a',
        b"STATUS INBOX MESSAGES",
        b"LIST",
        b"CLOSE",
        b"((((((((((",
        b"\xff\xfe",
        b"LIST " + b"(" * 200,
        b"UID FETCH " + b"1," * 50000 + b"1 FLAGS",
    ],
)
def test_nonsense_is_bad_and_the_connection_lives(wire: Wire, line: bytes) -> None:
    wire.send(b"n1 " + line + b"\r\n")
    answer = wire.response()
    assert b"BAD" in answer[:10], answer
    assert wire.command("NOOP").tagged.startswith(b"OK")


def test_lines_without_a_command_are_bad(wire: Wire) -> None:
    wire.send(b"\r\n")
    assert b"BAD" in wire.response()
    wire.send(b"onlyatag\r\n")
    assert b"BAD" in wire.response()
    assert wire.command("NOOP").tagged.startswith(b"OK")
