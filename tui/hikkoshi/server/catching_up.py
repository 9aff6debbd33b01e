"""Looking at many folders on one connection: what is asked of one goes out while the answers of another come in."""

from collections import deque
from collections.abc import Callable, Generator, Iterable

from msgspec.structs import replace

from hikkoshi.server.channel import Channel
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.folder_look import FolderLook, Round
from hikkoshi.server.lexer import Status
from hikkoshi.server.mails import Readers
from hikkoshi.server.news import Inquiry, News
from hikkoshi.server.pipeline import Pipeline, Task

_Script = tuple[FolderLook, Generator[Round, None, None]]


class CatchingUp(Conversation):
    """News of folders."""

    def catch_up(self, looks: Iterable[Inquiry]) -> Generator[News, None, None]:
        """What is new in these folders since what is known of them; folders without news give none.

        The rounds of different folders overlap. Given up in the middle, the connection is closed.
        """
        self._examined = None
        news: deque[News] = deque()
        order = _Order(self._channel, self._readers, looks, news)
        while True:
            for _step in Pipeline(self._channel).run(order.next_task):
                while news:
                    yield news.popleft()
            while news:
                yield news.popleft()
            if order.wants_compression:
                self._channel.compress()
                order.wants_compression = False
            elif order.done:
                return


class _Order:
    """Decides which command goes out next. `done`: there is none, now or later.

    `wants_compression`: the line has turned out to be slow; nothing goes out until it is compressed.
    """

    def __init__(self, channel: Channel, readers: Readers, looks: Iterable[Inquiry], news: deque[News]) -> None:
        self._channel = channel
        self._capabilities = channel.capabilities
        self._readers = readers
        self._looks = iter(looks)
        self._news = news
        self._tasks: deque[Task] = deque()
        self._ready: deque[_Script] = deque()
        self._under_way: dict[str, int] = {}
        self._open = ""
        self._enabled = False
        self.done = False
        self.wants_compression = False
        self._undecided = channel.may_compress
        self._large = 0  # tasks with large answers under way

    def next_task(self) -> Task | None:
        """The next command; None: nothing may be asked before something is answered, or the news are taken."""
        if self.wants_compression:
            return None
        while not self._tasks:
            # A look goes on when its news have been taken, since it counts what is known then.
            if self._news:
                return None
            if self._ready:
                self._go_on(self._ready.popleft())
            elif (look := next(self._looks, None)) is not None:
                self._begin(look)
            else:
                self.done = not self._under_way
                return None
        if self._tasks[0].size and self._undecided and not self._decided():
            return None
        task = self._tasks.popleft()
        self._large += bool(task.size)
        return task

    def _decided(self) -> bool:
        """Whether it is known if the line is slow. Until then only one large answer is under way."""
        if not self._channel.meter.known:
            return not self._large
        self._undecided = False
        self.wants_compression = self._channel.meter.worth(sum(task.size for task in self._tasks))
        return not self.wants_compression

    def _begin(self, look: Inquiry) -> None:
        folder = FolderLook(look, self._capabilities, self._readers, self._news.append)
        self._go_on((folder, folder.rounds()))

    def _go_on(self, script: _Script) -> None:
        folder, rounds = script
        round_ = next(rounds, None)
        if round_ is None:
            self._under_way.pop(folder.native, None)
            return
        tasks: list[Task] = []
        if round_.parameters and not self._enabled:
            self._enabled = True
            # Amid a FETCH it would change what is told of that folder (RFC 7162 sections 3.1 and 3.2.3), its
            # HIGHESTMODSEQ for one. An EXAMINE may follow at once (RFC 5161 section 3.1).
            tasks.append(Task(b"ENABLE QRESYNC", lambda _end: None, fence=True, alone=True))
        if round_.afresh or folder.native not in self._under_way or (round_.tasks and self._open != folder.native):
            tasks.append(folder.examine(round_.parameters))
            self._open = folder.native
        tasks += round_.tasks
        self._under_way[folder.native] = len(tasks)
        if not tasks:
            self._ready.append(script)
        self._tasks += [replace(task, end=self._counting(script, task)) for task in tasks]

    def _counting(self, script: _Script, task: Task) -> Callable[[Status], None]:
        def ended(status: Status) -> None:
            task.end(status)
            self._large -= bool(task.size)
            native = script[0].native
            self._under_way[native] -= 1
            if not self._under_way[native]:
                self._ready.append(script)

        return ended
