"""What a server really holds, by its own files where they can be read, else by programs that are not ours."""

import imaplib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from imapclient.imap_utf7 import decode

from support.dovecot import Dovecot
from support.letters_at_risk import There
from support.moving import held
from support.private_server import PrivateServer

_FLAGS, _DATE = re.compile(rb"FLAGS \(([^)]*)\)"), re.compile(rb'INTERNALDATE "([^"]+)"')


def holdings(server: PrivateServer, user: str) -> Counter[There]:
    """All mail of an account."""
    if isinstance(server, Dovecot):
        found = _by_doveadm(server, user) if server.settings.driver == "sdbox" else _by_files(server, user)
    else:
        found = _by_imaplib(server, user)
    return Counter(found)


def _by_files(server: Dovecot, user: str) -> Iterator[There]:
    for mail in held(server.mail_dir(user)):
        yield There(mail.folder, mail.content, mail.when, mail.flags)


def _by_doveadm(server: Dovecot, user: str) -> Iterator[There]:
    for mail in fetched(server, user):
        content = mail["text"].encode("utf-8", "surrogateescape")
        flags = frozenset(mail["flags"].split()) - {"\\Recent"}
        yield There(mail["mailbox"], re.sub(rb"\r?\n", b"\r\n", content), received(mail), flags)


def fetched(server: Dovecot, user: str) -> list[dict[str, str]]:
    """`doveadm fetch`: mailbox, uid, guid, flags, date.received, text of each mail."""
    said = server.doveadm("-f", "json", "fetch", "-u", user, "mailbox uid guid flags date.received text", "all")
    mails: list[dict[str, str]] = json.loads(said.decode("utf-8", "surrogateescape") or "[]")
    return mails


def received(mail: dict[str, str]) -> int:
    """`date.received` of a mail in seconds since 1970 UTC."""
    return int(datetime.strptime(mail["date.received"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())


def _by_imaplib(server: PrivateServer, user: str) -> Iterator[There]:
    client = imaplib.IMAP4(server.host, server.imap_port)
    client.login(user, server.password)
    try:
        for line in client.list()[1]:
            assert isinstance(line, bytes)
            attributes, _paren, rest = line.partition(b") ")
            if b"\\noselect" in attributes.lower():
                continue
            native = rest.split(b" ", 1)[1].strip(b'"').decode()
            yield from _in_folder(client, native, server.delimiter)
    finally:
        client.logout()


def _in_folder(client: imaplib.IMAP4, native: str, delimiter: str) -> Iterator[There]:
    status, count = client.select(f'"{native}"', readonly=True)
    assert status == "OK", count
    if count == [b"0"]:
        return
    name = decode(native.encode()).rpartition(delimiter)[2]
    for part in client.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            flags, date = _FLAGS.search(part[0]), _DATE.search(part[0])
            assert flags, part[0]
            assert date, part[0]
            there = frozenset(flags[1].decode().split()) - {"\\Recent"}
            yield There(name, part[1], _seconds(date[1]), there)


def _seconds(date: bytes) -> int:
    """An INTERNALDATE as seconds since 1970 UTC."""
    return int(datetime.strptime(date.decode().strip(), "%d-%b-%Y %H:%M:%S %z").timestamp())
