import msgspec

from support.figures import (
    Figure,
    Missing,
    Report,
    at_most,
    none_of,
    table,
    text_table,
    times_faster,
    times_more,
    within,
)


def test_a_time_that_shall_be_short_is_ours_over_the_peers() -> None:
    figure = at_most("scan, s", [3.0, 1.0, 2.0], [4.0, 4.0, 9.0], 0.6, peer_name="grep")
    assert (figure.ours, figure.peer, figure.ratio, figure.better, figure.holds, figure.runs) == (
        2.0, 4.0, 0.5, "lower", True, 3,
    )  # fmt: skip
    assert not at_most("scan, s", [3.0], [4.0], 0.6, peer_name="grep").holds


def test_a_time_that_shall_be_many_times_better_is_the_peers_over_ours() -> None:
    figure = times_faster("check, s", [2.0], [20.0], 10, peer_name="imapsync")
    assert (figure.ratio, figure.better, figure.holds) == (10.0, "higher", True)
    assert not times_faster("check, s", [2.1], [20.0], 10, peer_name="imapsync").holds


def test_a_throughput_is_ours_over_the_peers() -> None:
    figure = times_more("upload, mails/s", [700.0], [200.0], 3.5, peer_name="mbsync")
    assert (figure.ratio, figure.better, figure.holds) == (3.5, "higher", True)
    assert not times_more("upload, mails/s", [200.0], [700.0], 1, peer_name="mbsync").holds


def test_a_figure_without_a_peer_is_compared_with_its_goal() -> None:
    figure = within("compare, s", [6.0], 8.0, how="a million")
    assert (figure.peer, figure.peer_name, figure.ratio, figure.goal, figure.holds) == (None, None, 0.75, 1.0, True)
    assert figure.how == "goal: at most 8; a million"
    assert not within("compare, s", [8.1], 8.0).holds


def test_a_missing_peer_leaves_the_figure_open_and_says_so() -> None:
    for make in (at_most, times_faster, times_more):
        figure = make("check, s", [1.0], Missing("no path was given"), 10, peer_name="imapsync", how="cold")
        assert (figure.ours, figure.peer, figure.ratio, figure.holds) == (1.0, None, None, None)
        assert figure.how == "imapsync is missing: no path was given; cold"


def test_what_must_not_be_there_holds_only_where_nothing_is() -> None:
    assert none_of("modules", set()).holds
    found = none_of("modules", {"textual", "rich"})
    assert not found.holds
    assert found.ratio is not None
    assert found.ratio > found.goal
    assert "['rich', 'textual']" in found.how


def test_the_json_has_the_fields_that_were_agreed_on() -> None:
    report = Report("scan", "a machine", [within("a, s", [1.0], 2.0)])
    decoded = msgspec.json.decode(msgspec.json.encode(report))
    assert list(decoded) == ["benchmark", "machine", "figures"]
    assert list(decoded["figures"][0]) == [
        "name", "ours", "peer", "peer_name", "ratio", "goal", "better", "holds", "runs", "how",
    ]  # fmt: skip


def test_the_table_marks_what_does_not_hold() -> None:
    kept: list[Figure] = [within("a, s", [3.0], 2.0), at_most("b, s", [1.0], Missing("x"), 2, peer_name="grep")]
    assert [row[-1] for row in table(kept)] == ["NO", "not known"]
    assert "b, s: grep is missing: x" in text_table(kept)
