from support.figures import Report, at_most, within
from support.performance import Remark, page, remarks

REPORT = Report(
    "check",
    "a machine",
    [
        within("check warm, round trips", [2.0], 3.0),
        at_most("check cold, s", [4.0], [1.0], 2.0, peer_name="mbsync no-op", how="TLS"),
    ],
)


def test_a_missed_goal_is_marked_and_told_why() -> None:
    text = page([REPORT], [], [Remark("check", "cold", "It reads every header.", "mbsync")])
    assert "| check cold, s | 4 | mbsync no-op 1 | 4 | at most 2 | **NO** |" in text
    assert "- check cold, s beside mbsync no-op: It reads every header." in text
    assert "2 figures: 1 hold, 1 do not, 0 are open." in text


def test_a_missed_goal_without_a_remark_is_not_hidden() -> None:
    others = [Remark("check", "cold", "x", "imapsync"), Remark("scan", "cold", "x"), Remark("check", "warm", "x")]
    assert "- check cold, s beside mbsync no-op: no reason has been written down yet." in page([REPORT], [], others)


def test_a_benchmark_that_failed_is_named() -> None:
    assert "Not measured: the benchmark `upload.py` did not run to its end." in page([REPORT], ["upload"], [])


def test_a_busy_machine_is_told() -> None:
    busy = Report("check", "2 cores; busy with other work (load 5.0 on 2 cores)", REPORT.figures)
    text = page([REPORT, busy], [], [])
    assert text.count("busy with other work (load 5.0 on 2 cores) when this was measured") == 1
    assert "Measured on: a machine; 2 cores.\n" in text


def test_the_remarks_can_be_read() -> None:
    assert all(remark.why for remark in remarks())
