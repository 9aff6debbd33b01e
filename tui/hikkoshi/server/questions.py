"""Questions about the account that go out together, and whose the answers are."""

from collections.abc import Sequence

import msgspec

from hikkoshi.server.channel import Channel
from hikkoshi.server.lexer import Parts, Status, tokens
from hikkoshi.server.pipeline import Pipeline, Task
from hikkoshi.server.writer import native_name

_TOLD = {
    "LIST": ("LIST", "STATUS"),
    "NAMESPACE": ("NAMESPACE",),
    "GETQUOTAROOT": ("QUOTAROOT", "QUOTA"),
    "STATUS": ("STATUS",),
}
"""By command, the responses to it; LIST has STATUS where it was asked for (RFC 5819)."""
_OF_A_FOLDER = frozenset({"QUOTAROOT", "STATUS"})
"""Responses that begin with the name of the folder that they are about."""


class Question(msgspec.Struct):
    """The untagged responses to one command, by name and without it; `end`: how it ended.

    `about`: the native name of the folder that it asks about, '' if it asks about none.
    """

    command: bytes
    about: str = ""
    found: dict[str, list[Parts]] = msgspec.field(default_factory=dict)
    end: Status | None = None

    def get(self, name: str) -> list[Parts]:
        """The responses of that name; none where the command was refused."""
        return self.found.get(name, []) if self.end is not None and self.end.kind == "OK" else []

    @property
    def told(self) -> tuple[str, ...]:
        """Names of the responses to this command."""
        return _TOLD[self.command.split(b" ", 1)[0].decode("ascii")]

    def ended(self, end: Status) -> None:
        """Keep how it ended."""
        self.end = end


def ask(channel: Channel, questions: Sequence[Question]) -> None:
    """Ask all at once, and wait for the answers.

    Dovecot goes on to NAMESPACE and GETQUOTAROOT while the answers to a long LIST wait for the line. What cannot be
    an answer to the question whose turn it is goes to one that it can be for. Two LISTs cannot be told apart: all may
    be with the first; nor can two GETQUOTAROOT by QUOTA, which names the root alone.
    """
    desk = _Desk(questions)
    tasks = iter([desk.task(question) for question in questions])
    for _step in Pipeline(channel).run(lambda: next(tasks, None)):
        pass


class _Desk:
    """Hands responses to the questions that they answer."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._asked: dict[tuple[str, str], Question] = {}  # by a response's name, and the folder that it names
        for question in questions:
            for name in question.told:
                self._asked.setdefault((name, question.about if name in _OF_A_FOLDER else ""), question)

    def task(self, question: Question) -> Task:
        return Task(question.command, question.ended, lambda parts: self._hear(question, parts))

    def _hear(self, first: Question, parts: Parts) -> None:
        words = parts[0].split(b" ", 2)
        if len(words) < 3 or not words[1].isalpha():
            return
        name, answer = words[1].decode("ascii").upper(), [words[2], *parts[1:]]
        about = _about(answer) if name in _OF_A_FOLDER else ""
        whose = first
        if name not in first.told or (about and first.about and about != first.about):
            whose = self._asked.get((name, about)) or self._asked.get((name, "")) or first
        whose.found.setdefault(name, []).append(answer)


def _about(answer: Parts) -> str:
    """The folder that an answer is about, by native name; '' for an answer that names none."""
    word = next(iter(tokens(answer)), None)
    return native_name(word) if isinstance(word, bytes) else ""
