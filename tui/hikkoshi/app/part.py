"""What the parts of the main screen have in common that start jobs and hear of them."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from hikkoshi.app.words import progress_text
from hikkoshi.app.work import Event
from hikkoshi.jobs.progress import Progress

if TYPE_CHECKING:
    from hikkoshi.app.screens.main import MainScreen


class Part(ABC):
    """A part of the main screen. `jobs`: the names of those that it starts. All of it runs in the screen's thread."""

    jobs: ClassVar[tuple[str, ...]]

    def __init__(self, screen: "MainScreen") -> None:
        self._screen = screen

    def told(self, event: Event) -> None:
        """Something happened in one of its jobs: say how far that is."""
        if isinstance(event, Progress):
            self._screen.say(progress_text(event))

    @abstractmethod
    def ended(self, name: str, result: object) -> None:
        """The job `name` ended well."""
