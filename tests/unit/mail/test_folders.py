import unicodedata

import pytest

from hikkoshi.mail.folders import LEFT_OUT, Folder, Role, fold, role_by_attributes, role_by_name


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("INBOX", Role.INBOX), ("Inbox", Role.INBOX), ("受信トレイ", Role.INBOX),
        ("Sent", Role.SENT), ("Sent Items", Role.SENT), ("SENT MESSAGES", Role.SENT), ("送信済みトレイ", Role.SENT),
        ("送信済み", Role.SENT), ("送信済みメール", Role.SENT), ("送信済みアイテム", Role.SENT),
        ("送信トレイ", Role.OUTBOX), ("Unsent Messages", Role.OUTBOX), ("下書き", Role.DRAFTS),
        ("迷惑メール", Role.JUNK), ("ゴミ箱", Role.TRASH), ("Ｔｒａｓｈ ", Role.TRASH), ("ﾃﾝﾌﾟﾚｰﾄ", Role.TEMPLATES),
        ("Projects", Role.NONE), ("", Role.NONE), ("Sent/2024", Role.NONE),
    ],
)  # fmt: skip
def test_names_by_custom(name: str, role: Role) -> None:
    assert role_by_name(name) is role
    assert role_by_name(unicodedata.normalize("NFD", name)) is role


def test_attributes_of_special_use_in_any_case() -> None:
    assert role_by_attributes(frozenset({"\\HasNoChildren", "\\SENT"})) is Role.SENT
    assert role_by_attributes(frozenset({"\\Junk"})) is role_by_attributes(frozenset({"\\spam"})) is Role.JUNK
    assert role_by_attributes(frozenset({"\\Marked"})) is Role.NONE


def test_folding_makes_the_spellings_of_one_name_equal() -> None:
    assert fold("ﾒｰﾙ") == fold("メール") == fold(unicodedata.normalize("NFD", "メール"))
    assert fold("ＡＢＣ") == fold("abc ")


def test_trash_junk_outbox_and_templates_are_left_out() -> None:
    left_out = {role for role in Role if Folder("x", ("x",), role, "x").left_out}
    assert left_out == LEFT_OUT == {Role.TRASH, Role.JUNK, Role.OUTBOX, Role.TEMPLATES}
