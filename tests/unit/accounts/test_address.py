import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.accounts.address import Address, parse_address, parse_mapping, parse_reserve, parse_size
from hikkoshi.errors import UsageError
from hikkoshi.move.room import MESSAGE, STORAGE, Reserve


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("imaps://taro@imap.example.jp", Address("imap.example.jp", 993, "taro", "tls")),
        ("imaps://taro@imap.example.jp:1993/", Address("imap.example.jp", 1993, "taro", "tls")),
        ("IMAPS://Taro@IMAP.example.jp", Address("imap.example.jp", 993, "Taro", "tls")),
        ("imaps://taro@example.jp@imap.example.jp", Address("imap.example.jp", 993, "taro@example.jp", "tls")),
        ("imaps://taro%40example.jp@imap.example.jp", Address("imap.example.jp", 993, "taro@example.jp", "tls")),
        ("imaps://taro%3Ax@h", Address("h", 993, "taro:x", "tls")),
        ("imap://taro@imap.example.jp", Address("imap.example.jp", 143, "taro", "starttls")),
        ("imap://taro@127.0.0.1:1143", Address("127.0.0.1", 1143, "taro", "plain")),
        ("imap://taro@localhost", Address("localhost", 143, "taro", "plain")),
        ("imap://taro@[::1]:1143", Address("::1", 1143, "taro", "plain")),
        ("imaps://taro@[2001:db8::1]", Address("2001:db8::1", 993, "taro", "tls")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "taro@imap.example.jp", "pop3://taro@h", "https://taro@h", "imaps://imap.example.jp", "imaps://taro@",
     "imaps://@h", "imaps://taro@h:port", "imaps://taro@h:99999", "imaps://taro@[::1", "imaps://taro@h/INBOX",
     "imaps://taro@h?x", "imaps://taro@h#x", "imaps://taro%0d%0aA1@h", "imaps://taro%00@h"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match="imaps://user@host"):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "imaps://taro:s3cret@h",
        "imaps://taro:s3@cret@h",
        "imaps://taro:@h",
        "imaps://taro:s3#cret@h",
        "imaps://t:s3cret@h:x",
    ],
)
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_address(text)
    assert "s3" not in str(error.value)
    assert "cret" not in str(error.value)
    assert error.value.__cause__ is None


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for written in (text, f"imaps://{text}"):
        try:
            parse_address(written)
        except UsageError:
            continue


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1234", 1234), ("500M", 500 << 20), ("500 MB", 500 << 20), ("1.5GiB", 3 << 29), ("2k", 2048),
     (" 1 T ", 1 << 40), ("100B", 100)],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1e3", "1,000", "5%", "1Ki", "x", "9" * 400, "1." + "0" * 400])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)


def test_a_reserve_is_a_part_or_a_size() -> None:
    assert parse_reserve("5%") == parse_reserve(" 5.0 % ") == Reserve(percent=5.0)
    assert parse_reserve("100M") == Reserve(size=100 << 20)
    assert parse_reserve("0") == Reserve(size=0)
    assert parse_reserve("10%").of(STORAGE, 1001) == 101
    assert parse_reserve("100M").of(MESSAGE, 1000) == 0


@pytest.mark.parametrize("text", ["101%", "-5%", "%", "5 percent", ""])
def test_what_is_no_reserve_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_reserve(text)


def test_a_mapping_is_cut_at_its_first_equals_sign() -> None:
    assert parse_mapping(["Sent = Sent Items", "a=b=c", "見積/2024=Projects"]) == {
        "Sent": "Sent Items", "a": "b=c", "見積/2024": "Projects"
    }  # fmt: skip


@pytest.mark.parametrize("pair", ["Sent", "=Sent", "Sent=", " = ", ""])
def test_what_is_no_mapping_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="LOCAL=SERVER"):
        parse_mapping(["a=b", pair])
