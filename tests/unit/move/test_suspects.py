"""Which of the refused mails is to blame, by what happens to the others."""

from typing import cast

from hikkoshi.move.batch import Letter
from hikkoshi.move.suspects import Suspects, Verdict


class Mail:
    """What of a letter is looked at."""

    def __init__(self) -> None:
        self.alone, self.outlived = 0, False


def mail() -> Letter:
    return cast(Letter, Mail())


def test_others_passed_and_it_is_refused_twice_alone() -> None:
    suspects, bad = Suspects(), mail()
    assert suspects.refused(bad, alone=False) is Verdict.AGAIN
    assert suspects.passed() == []
    suspects.new_round()
    assert suspects.refused(bad, alone=True) is Verdict.AGAIN
    suspects.new_round()
    assert suspects.refused(bad, alone=True) is Verdict.TO_BLAME


def test_it_is_refused_alone_behind_a_wait_and_the_next_one_passes() -> None:
    suspects, bad = Suspects(), mail()
    suspects.refused(bad, alone=False)
    suspects.new_round()
    assert suspects.refused(bad, alone=True) is Verdict.AGAIN
    assert suspects.passed() == [bad]


def test_a_refusal_behind_one_that_passed_says_nothing() -> None:
    """A server that takes one mail in a while refuses the second one whatever it is."""
    suspects, second = Suspects(), mail()
    for _ in range(5):
        suspects.new_round()
        suspects.passed()
        assert suspects.refused(second, alone=True) is Verdict.AGAIN
    assert second.alone == 0


def test_where_nothing_passes_it_is_put_off_until_something_does() -> None:
    suspects, lone = Suspects(), mail()
    verdicts = []
    for _ in range(3):
        suspects.new_round()
        verdicts.append(suspects.refused(lone, alone=True))
    assert verdicts == [Verdict.AGAIN, Verdict.AGAIN, Verdict.PUT_OFF]
    assert suspects.put_off == [lone]
    assert suspects.passed() == [lone]
    assert suspects.put_off == []


def test_two_refusals_in_a_round_are_enough_unless_others_had_passed() -> None:
    suspects = Suspects()
    assert suspects.enough, "nothing is tried out"
    suspects.refused(mail(), alone=True)
    assert not suspects.enough, "the next one shows more"
    suspects.refused(mail(), alone=True)
    assert suspects.enough
    suspects.new_round()
    for _ in range(3):
        outlived = mail()
        outlived.outlived = True
        suspects.refused(outlived, alone=True)
    assert not suspects.enough
