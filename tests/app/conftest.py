"""The program on a made account, without a terminal."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from support.screen import Opened, open_screen


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No theme or config file of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Opened]]:
    """`async with opened(size=(120, 36), limit=...) as screen:` after the first look at both sides."""

    @asynccontextmanager
    async def start(**options: object) -> AsyncIterator[Opened]:
        async with open_screen(tmp_path / "index.db", **options) as screen:  # type: ignore[arg-type]
            yield screen

    return start
