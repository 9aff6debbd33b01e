"""What an answer that is no plain OK says about going on: whether it is about the mail, or about the time. Pure.

RFC 3501 section 7.1 and RFC 5530 name the codes; servers give some of them for both. Texts are from Dovecot's and Cyrus'
sources, and from what users of imapsync, mbsync, davmail and libetpan have quoted of Gmail, Microsoft 365 and iCloud.
"""

import re
from enum import StrEnum

import msgspec

from hikkoshi.errors import LoginRefused, ServerError


class Says(StrEnum):
    """What an answer is about."""

    MAIL = "mail"
    """This mail or command: asking again is of no use."""
    LATER = "later"
    """The time: the same will do later."""
    UNCLEAR = "unclear"
    """Either: its code is given for both, and its text does not tell."""
    FULL = "full"
    """The mailbox is full."""
    NO_FOLDER = "no-folder"
    """The folder is not there, and may be made."""


class Answer(msgspec.Struct, frozen=True):
    """`seconds`: how long the server asks us to wait, None where it names no time. `crowded`: of too many connections.

    `too_large`: the mail is larger than the server takes.
    """

    says: Says
    seconds: float | None = None
    crowded: bool = False
    too_large: bool = False


_BACKOFF = re.compile(r"Suggested Backoff Time:?\s*(\d{1,9})\s*milliseconds", re.IGNORECASE)
_CROWDED = re.compile(
    r"too many (?:\w+ ){0,3}(?:connections|sessions|logins)|maximum number of connections|connection limit"
    r"|authenticated but not connected",
    re.IGNORECASE,
)
_SLOWER = re.compile(
    r"throttl|(?:command|bandwidth|rate)\w*(?: or \w+)? limit|rate.?limit|too many (?:requests|commands|messages|operations)"
    r"|try again later|temporar(?:y|ily)|server (?:is |too )*busy|slow down|timeout while waiting for lock|server unavailable",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\bsize\b|too (?:large|big|long)|larger than|\boctets\b", re.IGNORECASE)
_FULL = re.compile(
    r"over\s?quota|quota (?:is |was )?exceeded|exceed\w* (?:\w+ ){0,3}quota|mailbox (?:\w+ ){0,3}full", re.IGNORECASE
)
"""Cyrus 3.6 says `NO Over quota` to APPEND and Courier 5.0 `NO [ALERT] You exceeded your mail quota.`, without OVERQUOTA."""
_NO_FOLDER = re.compile(r"deleted under us|mailbox does(?:n't| not) exist", re.IGNORECASE)
"""Dovecot 2.3, where the folder is deleted while mail is stored in it: `NO Mailbox was deleted under us`, without a code."""
_CODES = re.compile(r"\[([A-Za-z-]+)")
_WITHIN = 300  # characters: a server may quote the mail behind them
_UNCLEAR = frozenset({"LIMIT", "UNAVAILABLE", "SERVERBUG"})


def read_answer(code: str, words: str) -> Answer:
    """What an answer with this response code ('' for none; it may stand in `words` as well) and text says."""
    words = words[:_WITHIN]
    backoff = _BACKOFF.search(words)
    if backoff or _CROWDED.search(words):
        return Answer(Says.LATER, int(backoff[1]) / 1000 if backoff else None, _CROWDED.search(words) is not None)
    codes = {code.upper(), *map(str.upper, _CODES.findall(words))}
    about_size = "TOOBIG" in codes or ("LIMIT" in codes and _SIZE.search(words) is not None)
    return Answer(_says(codes, words, about_size=about_size), too_large=about_size)


def _says(codes: set[str], words: str, *, about_size: bool) -> Says:
    rules = (
        (codes & {"TRYCREATE", "NONEXISTENT"} or _NO_FOLDER.search(words), Says.NO_FOLDER),
        (codes & {"THROTTLED", "INUSE"}, Says.LATER),
        (about_size, Says.MAIL),
        (_SLOWER.search(words), Says.LATER),  # Gmail gives OVERQUOTA for its bandwidth, too
        ("OVERQUOTA" in codes or _FULL.search(words), Says.FULL),
        (codes & _UNCLEAR, Says.UNCLEAR),
    )
    return next((says for applies, says in rules if applies), Says.MAIL)


def read_error(error: Exception) -> Answer:
    """The same of an error: the NO to a command, a BAD or BYE that ended a connection, a login that was turned away."""
    if not isinstance(error, ServerError):
        return Answer(Says.MAIL)
    answer = read_answer(error.code, error.words)
    if answer.says is Says.UNCLEAR and isinstance(error, LoginRefused):
        # No mail is in play yet.
        return Answer(Says.LATER, crowded=error.code == "LIMIT")
    return answer
