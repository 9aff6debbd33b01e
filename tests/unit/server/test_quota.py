"""Quota roots as Dovecot, Cyrus and Courier answer them."""

import pytest

from hikkoshi.server.quota import QuotaRoot, quota_roots


@pytest.mark.parametrize(
    ("root", "quota", "expected"),
    [
        (b'INBOX "User quota"', b'"User quota" (STORAGE 10 1048576 MESSAGE 3 1000)', "User quota"),
        (b'"INBOX" ""', b'"" (STORAGE 10 1048576 MESSAGE 3 1000)', ""),
        (b"INBOX ROOT", b"ROOT (storage 10 1048576 X-NUM-FOLDERS 1 2 MESSAGE 3 1000)", "ROOT"),
    ],
)
def test_storage_is_bytes_and_message_is_mails(root: bytes, quota: bytes, expected: str) -> None:
    assert quota_roots([("INBOX", [[root]], [[quota]])]) == [
        QuotaRoot(expected, "MESSAGE", 3, 1000, frozenset({"INBOX"})),
        QuotaRoot(expected, "STORAGE", 10 * 1024, 1 << 30, frozenset({"INBOX"})),
    ]


def test_a_root_knows_all_folders_under_it() -> None:
    roots = quota_roots(
        [
            ("INBOX", [[b"INBOX a b"]], [[b"a (STORAGE 1 2)"], [b"b (STORAGE 3 4)"]]),
            ("Sent", [[b"Sent b"]], [[b"b (STORAGE 3 4)"]]),
        ]
    )

    assert [(root.root, sorted(root.folders)) for root in roots] == [("a", ["INBOX"]), ("b", ["INBOX", "Sent"])]


def test_names_as_literals() -> None:
    [root] = quota_roots([("x", [[b"{1}", b"x", b" {3}", b"a b", b""]], [[b"{3}", b"a b", b" (STORAGE 1 2)"]])])

    assert (root.root, root.limit, root.folders) == ("a b", 2048, {"x"})


@pytest.mark.parametrize("quota", [[], [b'"r" ()'], [b'"r"'], [b'"r" (STORAGE 1)'], [b'"r" (STORAGE x y)'], [b""]])
def test_no_limits_are_no_roots(quota: list[bytes]) -> None:
    assert quota_roots([("INBOX", [[b'INBOX "r"']], [quota] if quota else [])]) == []
