import re
from pathlib import Path

from hikkoshi.local.detect import open_store
from support import corpora
from support.corpora import Kind

KIND = Kind("test", 400, 2048, tail=True, seed=7)


def test_the_same_seed_gives_the_same_mails() -> None:
    assert list(KIND.mails()) == list(KIND.mails())
    other = Kind("other", 400, 2048, tail=True, seed=8)
    assert [mail.stored for mail in KIND.mails()] != [mail.stored for mail in other.mails()]


def test_the_mails_are_what_an_office_has() -> None:
    stored = [mail.stored for mail in KIND.mails()]
    whole = b"".join(stored)
    assert b"Subject: =?UTF-8?B?" in whole
    assert b"Content-Transfer-Encoding: base64" in whole
    assert re.search(rb"^From [a-z]", whole, re.MULTILINE), "no body line for an mbox to quote"
    assert re.search(rb"^>From [a-z]", whole, re.MULTILINE)
    assert any(b"\nMessage-ID:" not in mail.partition(b"\n\n")[0] for mail in stored)
    assert max(mail.count(b"\nReceived:") for mail in stored) >= 4
    assert max(map(len, stored)) > 256 << 10
    assert not re.search(rb"\r", whole)


def test_an_mbox_and_a_maildir_of_a_corpus_hold_the_same_mails(tmp_path: Path) -> None:
    corpora.write_mbox(tmp_path / "mbox", KIND.mails())
    corpora.write_maildir(tmp_path / "maildir", KIND.mails())
    expected = sorted(mail.crlf_size for mail in KIND.mails())
    for name in ("mbox", "maildir"):
        store = open_store(tmp_path / name)
        (folder,) = store.folders()
        found = list(store.scan(folder, []))
        assert sorted(message.size for message in found) == expected, name
        assert sum("\\Seen" in message.flags for message in found) == sum(mail.seen for mail in KIND.mails())


def test_the_names_in_a_maildir_have_the_sizes_that_dovecot_puts_there(tmp_path: Path) -> None:
    corpora.write_maildir(tmp_path, KIND.mails())
    for path in (tmp_path / "cur").iterdir():
        stored = path.read_bytes()
        sizes = re.search(r",S=(\d+),W=(\d+):2,S?$", path.name)
        assert sizes
        assert (int(sizes[1]), int(sizes[2])) == (len(stored), len(stored) + stored.count(b"\n"))


def test_a_corpus_is_made_once(tmp_path: Path) -> None:
    path = corpora.mbox(tmp_path, KIND)
    path.write_bytes(b"kept")
    assert corpora.mbox(tmp_path, KIND).read_bytes() == b"kept"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
