"""Servers and a mover for all cases of a test process, and the choice of cases for `make test`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.crash import Case, DyingMover, Hosts
from support.letters_at_risk import write_letters
from support.tools import NotHad


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    """Every server, started when it is needed."""
    made = Hosts()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _dovecot(hosts: Hosts) -> None:
    try:
        hosts.get("maildir")
    except NotHad as reason:
        pytest.skip(f"tests against a real server are left out: {reason}")


@pytest.fixture(scope="session")
def mover() -> Iterator[DyingMover]:
    """What runs the program."""
    made = DyingMover()
    yield made
    made.close()


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store, which nothing may write to."""
    store = tmp_path_factory.mktemp("letters") / "store"
    write_letters(store)
    return store


@pytest.fixture
def case(hosts: Hosts, mover: DyingMover, letters: Path, tmp_path: Path) -> Iterator[Callable[[str, str], Case]]:
    """A function that makes a case on that server, sent that way."""
    cases: list[Case] = []

    def make(host: str, way: str) -> Case:
        folder = tmp_path / str(len(cases))
        folder.mkdir()
        try:
            cases.append(Case(hosts, mover, host, way, folder, letters))
        except NotHad as reason:
            pytest.skip(f"tests against a real server are left out: {reason}")
        return cases[-1]

    yield make
    for each in cases:
        each.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --all-faults only the sample of the matrix."""
    if config.getoption("--all-faults"):
        return
    left_out = [item for item in items if item.get_closest_marker("matrix") and not item.get_closest_marker("sample")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        dropped = set(left_out)
        items[:] = [item for item in items if item not in dropped]
