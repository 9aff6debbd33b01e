"""The login record keeps its secret, and loopback is what it says."""

import pytest

from hikkoshi.server.login import Login, is_loopback


def test_the_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(Login("h", 1, "u", "hunter2"))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "::2", "", "fe80::1%lo"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)
