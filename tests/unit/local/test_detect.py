"""What lies at a path."""

from pathlib import Path

import pytest

from hikkoshi.errors import NotAStore
from hikkoshi.local.detect import open_store
from support.profile import Account, MailFolder, write_profile


def test_each_kind(tmp_path: Path) -> None:
    profile = write_profile(tmp_path / "tb", (Account("pop3", "h", "u", folders=(MailFolder(("Inbox",)),)),))
    (tmp_path / "boxes").mkdir()
    box = tmp_path / "boxes" / "mbox"
    box.write_bytes(b"\n\nFrom a@b Tue Mar  5 10:00:00 2024\n\n")
    for part in ("cur", "new"):
        (tmp_path / "dirs" / "inbox" / part).mkdir(parents=True)
    (tmp_path / "empty").touch()
    (tmp_path / "fresh" / "cur").mkdir(parents=True)
    (tmp_path / "fresh" / "tmp").mkdir()

    kinds = {
        path.name: open_store(path).kind
        for path in (
            tmp_path / "tb",
            profile,
            box,
            box.parent,
            tmp_path / "dirs",
            tmp_path / "dirs" / "inbox",
            tmp_path / "empty",
            tmp_path / "fresh",
        )
    }

    assert kinds == {
        "tb": "thunderbird", "abcd1234.default-release": "thunderbird", "mbox": "mbox", "boxes": "mbox-folder",
        "dirs": "maildir", "inbox": "maildir", "empty": "mbox", "fresh": "maildir",
    }  # fmt: skip


def test_what_is_no_store_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"Dear Sir,\nFrom here\n")
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "bare").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "profiles.ini").write_text("[Profile0]\nName=x\nIsRelative=1\nPath=gone\n")

    for name, said in (
        ("text", "no mbox"),
        ("directory", "holds no mail"),
        ("bare", "holds no mail"),
        ("nowhere", "nothing at"),
        ("root", "names no Thunderbird profile"),
    ):
        with pytest.raises(NotAStore, match=said):
            open_store(tmp_path / name)


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mbox").write_bytes(b"From a\n")

    def refuse(self: Path, *_args: object, **_more: object) -> object:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so the refusal is played
    monkeypatch.setattr(Path, "iterdir", refuse)
    for path in (tmp_path / "mbox", tmp_path):
        with pytest.raises(NotAStore, match="Permission denied"):
            open_store(path)
