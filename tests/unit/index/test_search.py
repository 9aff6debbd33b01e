"""What is found by what people type, and that only what is new is taken up again."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikkoshi.errors import Cancelled
from hikkoshi.index.queries import rows
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.search import fill, find_rows, fold_text, progress, search_text
from hikkoshi.jobs.cancel import Cancel
from support.planted import Planted, mail, planted


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Planted]:
    with planted(tmp_path) as both:
        both.put(LOCAL, "Inbox")
        both.put(SERVER, "INBOX")
        yield both


def subjects(sides: Planted, text: str) -> list[str]:
    """The subjects of the rows found, each once for each row."""
    found = []
    for row in rows(sides.index, find_rows(sides.index, text)):
        shown = row.local or row.server
        assert shown
        found.append(search_text(shown.message.fields).splitlines()[-1])
    return sorted(found)


def encoded(text: str) -> str:
    return f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="


def filled(sides: Planted) -> None:
    sides.compare()
    fill(sides.index, Cancel())


@pytest.mark.parametrize(
    "text", ["見積書", "見積", "の", "ﾐﾂﾓﾘ", "ミツモリ", "RE: 2024", "re: 2024", "ｒｅ：", "100%", "%", "a_b", '"']
)
def test_subjects_are_found_in_every_language_and_width(sides: Planted, text: str) -> None:
    subject = 'Re: 2024年の見積書 ミツモリ 100% a_b "x"'
    sides.put(LOCAL, "Inbox", mail(1, subject=encoded(subject)), mail(2, subject="other"))
    filled(sides)
    assert subjects(sides, text) == [fold_text(subject)]


def test_correspondents_are_found_too(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, sender=f"{encoded('山田花子')} <hanako@example.jp>"), mail(2))
    filled(sides)
    assert subjects(sides, "山田花子") == subjects(sides, "hanako@") == ["mail 1"]


def test_a_mail_on_both_sides_is_found_once_and_by_either_copy(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(2))
    sides.put(SERVER, "INBOX", mail(1, subject="[list 7] mail 1"), mail(3))
    filled(sides)
    assert subjects(sides, "list 7") == ["mail 1"]
    assert subjects(sides, "mail") == ["mail 1", "mail 2", "mail 3"]


def test_what_is_gone_is_not_found_and_what_came_is(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(2))
    filled(sides)
    with sides.index.transaction():
        sides.index.remove([2])
    # The same row id is given again, for another mail.
    sides.put(LOCAL, "Inbox", mail(3))
    filled(sides)
    assert subjects(sides, "mail") == ["mail 1", "mail 3"]
    assert progress(sides.index) == (2, 2)


def test_only_new_mail_is_taken_up(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", *[mail(number) for number in range(1, 1200)])
    filled(sides)
    before = sides.index.db.total_changes
    fill(sides.index, Cancel())
    assert sides.index.db.total_changes == before


def test_it_stops_between_two_batches_and_says_how_far_it_is(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", *[mail(number) for number in range(1, 1200)])
    sides.compare()
    cancel = Cancel()
    cancel.set("user")
    with pytest.raises(Cancelled):
        fill(sides.index, cancel)
    assert progress(sides.index) == (500, 1199)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.sampled_from("abAB見積書ｱア%_\"' "), max_size=8), max_size=6),
    wanted=st.text(st.sampled_from("abAB見積書ｱア%_\"'"), min_size=1, max_size=4),
)
def test_it_finds_what_a_look_at_each_text_finds(
    texts: list[str], wanted: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with planted(tmp_path_factory.mktemp("any")) as sides:
        messages = [mail(number, subject=encoded(text) if text else "-") for number, text in enumerate(texts, 1)]
        sides.put(LOCAL, "Inbox", *messages)
        filled(sides)
        expected = [m for m in messages if fold_text(wanted) in search_text(m.fields)]
        assert len(find_rows(sides.index, wanted)) == len(expected)
