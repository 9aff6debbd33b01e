"""Mail that a server refuses with an answer which may be about the mail or about the time ([LIMIT], [UNAVAILABLE]).

Told apart by what happens to other mail: where others pass and this one, sent alone after a wait, is refused again, it is
the mail. iCloud refuses some dates so. Such a mail fails with the server's words; it is never sent without its date, since
it would get today's.
"""

from enum import Enum, auto

from hikkoshi.move.batch import Letter

_ALONE = 2
"""Refusals alone that are enough, where others passed before: one may be a limit that the first wait was too short for."""
_ALONE_FOR_NOW = 3
"""Refusals alone after which a mail is put off, where no other mail shows what is wrong; the move goes on with the rest."""
_IN_A_ROUND = 2
"""Refusals without a mail that passes, after which it is better to wait than to try more."""


class Verdict(Enum):
    """What a refusal makes of a mail."""

    AGAIN = auto()
    TO_BLAME = auto()
    PUT_OFF = auto()


class Suspects:
    """What is known of the mails that were refused so, in one folder. A round is what is sent between two waits."""

    def __init__(self) -> None:
        self.put_off: list[Letter] = []
        """To be left to another move, unless another mail passes."""
        self._refused: list[Letter] = []  # in this round
        self._passed = False  # in this round

    def refused(self, letter: Letter, *, alone: bool) -> Verdict:
        """Note a refusal; `alone`: nothing else was on its way."""
        # Behind a mail that passed it may be the limit again.
        letter.alone += alone and not self._passed
        if letter.outlived and letter.alone >= _ALONE:
            return Verdict.TO_BLAME
        if letter.alone >= _ALONE_FOR_NOW:
            self.put_off.append(letter)
            return Verdict.PUT_OFF
        self._refused.append(letter)
        return Verdict.AGAIN

    def passed(self) -> list[Letter]:
        """Another mail was taken: gives the mails that are to blame by that."""
        self._passed = True
        to_blame = [letter for letter in self._refused if letter.alone] + self.put_off
        for letter in self._refused:
            letter.outlived = True
        self._refused.clear()
        self.put_off.clear()
        return to_blame

    def new_round(self) -> None:
        """There was a wait."""
        self._refused.clear()
        self._passed = False

    @property
    def enough(self) -> bool:
        """Whether the next mail shall wait: none of the round waits for what happens to the next one, or too many do."""
        return not self._refused or sum(1 for letter in self._refused if not letter.outlived) >= _IN_A_ROUND
