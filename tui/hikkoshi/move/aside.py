"""A further connection, and the thread that owns it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from hikkoshi.server.appending import Appending

C = TypeVar("C", bound=Appending)
T = TypeVar("T")


class Aside(Generic[C]):
    """Work over a connection of its own, one piece after the other, in the background.

    `connect` opens the connection, in its thread and before the first piece of work.
    """

    def __init__(self, connect: Callable[[], C]) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connect = connect
        self._connection: C | None = None
        self.opened: Future[None] = self._thread.submit(self._open)

    def do(self, work: Callable[[C], T]) -> Future[T]:
        """Have `work` done; what it raises is in the future, as what connecting raised."""
        return self._thread.submit(self._do, work)

    def close(self) -> None:
        """Finish what was begun, and log out."""
        self._thread.submit(self._hang_up)
        self._thread.shutdown()

    def _open(self) -> None:
        self._connection = self._connect()

    def _do(self, work: Callable[[C], T]) -> T:
        self.opened.result()
        assert self._connection is not None
        return work(self._connection)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
