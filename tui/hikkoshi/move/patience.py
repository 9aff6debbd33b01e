"""Slowing down as the server asks: how long a move waits, and when it ends to go on some other time."""

from collections.abc import Callable
from time import monotonic, time

from hikkoshi.errors import HikkoshiError, ServerError
from hikkoshi.i18n import _
from hikkoshi.move.events import Tell, Waiting
from hikkoshi.move.when import said_when
from hikkoshi.server.answers import Answer, Says, read_error
from hikkoshi.server.failures import said

_FIRST, _LONGEST = 2.0, 300.0
"""Seconds that are waited where the server names no time: twice as long each time, up to the time that Microsoft 365
mostly suggests."""
_TRIES = 8
"""Waits without a mail arriving in between, after which the move ends: some eight minutes where no time is named."""
_TOO_LONG = 3600.0
"""Seconds; a server that asks for more is not waited for."""


class Throttled(HikkoshiError):
    """The server asked for less, again and again, or for longer than is waited. `until`: seconds since 1970, if it said."""

    def __init__(self, answer: str, until: float | None = None) -> None:
        if until is None:
            text = _(
                "The server asks to be sent less, and still did so after several waits. The move stopped; what arrived until "
                "now is whole, and the rest can go later. It says: {answer}"
            ).format(answer=answer)
        else:
            text = _(
                "The server wants no more mail for a while. The move stopped; what arrived until now is whole, and the rest "
                "can go {when}. It says: {answer}"
            ).format(when=said_when(until), answer=answer)
        super().__init__(text)
        self.until = until


class Patience:
    """When nothing may be sent, for one move. `wait`: lets seconds go by, and raises `Cancelled`."""

    def __init__(self, wait: Callable[[float], None], tell: Tell | None = None) -> None:
        self._wait = wait
        self.tell: Tell = tell or (lambda _event: None)
        self._due: float | None = None  # by the monotonic clock: told, and not waited for yet
        self._level = 0  # doubles the wait
        self._tries = 0
        self._answer = ""

    @property
    def slow(self) -> bool:
        """Whether the server asked to slow down, and has not taken mail without a complaint since."""
        return self._level > 0

    @property
    def is_told(self) -> bool:
        """Whether there is something to wait for."""
        return self._due is not None

    def told_by(self, error: Exception) -> bool:
        """Note what an error asks for; False where it does not ask to wait."""
        answer = read_error(error)
        if answer.says is not Says.LATER:
            return False
        assert isinstance(error, ServerError)
        self.told(answer, error.words)
        return True

    def told(self, answer: Answer, words: str) -> None:
        """The server asks to slow down, in these `words`; several answers before a `pause` count once."""
        self._answer = said(words) or self._answer
        if self._due is None:
            self._level += 1
            self._tries += 1
        seconds = answer.seconds
        if seconds is None:
            seconds = min(_FIRST * 2 ** (self._level - 1), _LONGEST)
        self._due = max(self._due or 0, monotonic() + seconds)

    def passed(self) -> None:
        """A mail arrived."""
        self._tries = 0

    def smooth(self) -> None:
        """Mail went through, and the server did not complain."""
        if self._due is None:
            self._level = 0

    def pause(self) -> None:
        """Wait as long as it was asked for. Raises `Throttled` where that is too long or too often, and `Cancelled`."""
        if self._due is None:
            return
        left = self._due - monotonic()
        if left > _TOO_LONG:
            raise Throttled(self._answer, time() + left)
        if self._tries > _TRIES:
            raise Throttled(self._answer)
        # Told also where it took so long to come here that it is over.
        self.tell(Waiting(time() + left, self._answer))
        self._wait(max(0.0, left))
        self._due = None
