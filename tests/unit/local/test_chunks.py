"""Mail read in pieces is the mail read as a whole, wherever the pieces end."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.errors import LocalChanged
from hikkoshi.local.chunks import extent_chunks, file_chunks, head
from hikkoshi.local.mbox import read_extent
from hikkoshi.mail.headers import header_block

FROM_LINE = b"From - Mon Jan  1 10:00:00 2024\n"
PIECES = [b"From ", b">From ", b">>From", b">", b"\n", b"\r\n", b"\r", b"Subject: x", b"a", b" ", b"\n\n", b"\0"]
BODIES = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
SIZES = st.integers(1, 9)


@given(BODIES, SIZES)
def test_an_mbox_mail_in_pieces(body: bytes, size: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "Inbox"
        path.write_bytes(b"ahead\n" + FROM_LINE + body + FROM_LINE)
        place = f"6:{len(FROM_LINE + body)}"
        assert b"".join(extent_chunks(path, place, size)) == read_extent(path, place)


@given(BODIES, SIZES)
def test_a_file_in_pieces_and_its_head(body: bytes, size: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mail"
        path.write_bytes(body)
        assert b"".join(file_chunks(path, size)) == body
        assert head(file_chunks(path, size)) == header_block(body)


MAIL = (FROM_LINE + b"Subject: x\n\nwhat it says").ljust(60, b"\n")


@pytest.mark.parametrize(("ahead", "place"), [(b"x", "0:60"), (b"", "0:59"), (b"", "1:59"), (b"", "0:500")])
def test_a_mail_that_is_not_there_any_more(tmp_path: Path, ahead: bytes, place: str) -> None:
    path = tmp_path / "Inbox"
    path.write_bytes(ahead + MAIL + FROM_LINE)

    for read in (read_extent, lambda *where: list(extent_chunks(*where))):
        with pytest.raises(LocalChanged):
            read(path, place)
