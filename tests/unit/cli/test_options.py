"""The options that every command takes, wherever they stand."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hikkoshi.accounts.options import Options
from hikkoshi.cli.options import merged, shared_options, to_options
from hikkoshi.errors import UsageError
from hikkoshi.move.room import AUTOMATIC, Reserve

BOTH = ["--local", "/mail", "--server", "imaps://mei@example.jp"]


def options(before: list[str], behind: list[str]) -> Options:
    """What a command gets of what stands before and behind its name."""
    got: list[Options] = []

    @click.group()
    @shared_options
    @click.pass_context
    def group(context: click.Context, /, **given: object) -> None:
        context.obj = given

    @group.command()
    @shared_options
    @click.pass_context
    def command(context: click.Context, /, **given: object) -> None:
        got.append(to_options(merged(context, given)))

    CliRunner().invoke(group, [*before, "command", *behind], catch_exceptions=False, standalone_mode=False)
    return got[0]


@pytest.mark.parametrize("split", [0, 2, 4, 6])
def test_they_mean_the_same_before_and_behind_the_name(split: int) -> None:
    given = [*BOTH, "--reserve", "10%"]

    assert options(given[:split], given[split:]) == options(given, [])
    assert options(given, []).reserve == Reserve(percent=10.0)


def test_what_stands_behind_wins_and_mappings_add_up() -> None:
    found = options(
        [*BOTH, "--quota-limit", "1G", "--map", "a=b", "--map", "x=y"], ["--quota-limit", "2M", "--map", "a=c"]
    )

    assert found.quota_limit == 2 << 20
    assert found.mapping == {"a": "c", "x": "y"}


def test_a_limit_and_a_reserve_of_nothing_are_not_the_default() -> None:
    found = options(BOTH, ["--quota-limit", "0", "--reserve", "0"])

    assert (found.quota_limit, found.reserve) == (0, Reserve(size=0))
    assert options(BOTH, []).reserve == AUTOMATIC


def test_a_home_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert options(["--local", "~/mail", *BOTH[2:]], []).local == tmp_path / "mail"


@pytest.mark.parametrize("given", [[], BOTH[:2], BOTH[2:]])
def test_both_sides_are_needed(given: list[str]) -> None:
    with pytest.raises(UsageError, match="Both sides are needed"):
        options(given, [])
