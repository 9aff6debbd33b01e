"""Deflated lines."""

import socket
import threading
import zlib

import pytest

from hikkoshi.server.deflate import Deflated


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def test_both_directions_and_what_came_early(ends) -> None:
    ours, theirs = ends
    packed = deflated(b"* OK early\r\n* OK late\r\n")
    line = Deflated(ours, packed[:7])
    theirs.sendall(packed[7:])
    found = b""
    while not found.endswith(b"late\r\n"):
        found += line.recv(4)
    assert found == b"* OK early\r\n* OK late\r\n"

    assert line.send(b"a NOOP\r\n") == 8
    assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(theirs.recv(100)) == b"a NOOP\r\n"


def test_a_bomb_comes_in_pieces_of_the_size_that_was_asked_for(ends) -> None:
    ours, theirs = ends
    line = Deflated(ours, b"")
    threading.Thread(target=theirs.sendall, args=(deflated(b"x" * 50_000_000),), daemon=True).start()
    for _ in range(100):
        assert len(line.recv(4096)) <= 4096
    assert line.waiting


def test_what_is_not_deflated_and_what_has_ended(ends) -> None:
    ours, theirs = ends
    with pytest.raises(zlib.error):
        Deflated(ours, b"\xff\xff\xff\xff").recv(10)
    with pytest.raises(zlib.error):
        Deflated(ours, zlib.compress(b"x")[2:-4]).recv(0 + 10) or Deflated(ours, b"").recv(10)
    theirs.close()
    assert Deflated(ours, b"").recv(10) == b""
