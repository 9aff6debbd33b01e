"""Quota roots from the answers to GETQUOTAROOT (RFC 2087, RFC 9208 section 4.3). Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from hikkoshi.server.lexer import Parts, Token, number, tokens

_KIB = 1024


class QuotaRoot(msgspec.Struct, frozen=True):
    """One limit: of bytes (STORAGE; servers count in KiB, here they are bytes) or of mails (MESSAGE).

    `folders`: the native names of the folders asked about that are under it.
    """

    root: str
    resource: Literal["STORAGE", "MESSAGE"]
    used: int
    limit: int
    folders: frozenset[str]


def quota_roots(answers: Iterable[tuple[str, list[Parts], list[Parts]]]) -> list[QuotaRoot]:
    """The limits in (native folder name, QUOTAROOT responses, QUOTA responses) of each folder asked about.

    The responses are without their `* QUOTAROOT` and `* QUOTA`. Resources other than STORAGE and MESSAGE are
    passed over, as are roots without limits.
    """
    folders: dict[str, set[str]] = {}
    limits: dict[tuple[str, Literal["STORAGE", "MESSAGE"]], tuple[int, int]] = {}
    for native, root_responses, quota_responses in answers:
        for parts in root_responses:
            for root in tokens(parts)[1:]:
                folders.setdefault(_text(root), set()).add(native)
        for parts in quota_responses:
            name, resources = _quota(tokens(parts))
            for resource, used, limit in resources:
                limits[name, resource] = (used, limit)
    return [
        QuotaRoot(root, resource, used, limit, frozenset(folders.get(root, ())))
        for (root, resource), (used, limit) in sorted(limits.items())
    ]


def with_heirs(roots: Iterable[QuotaRoot], heirs: Mapping[str, str]) -> list[QuotaRoot]:
    """The limits, where folders that the server does not answer for have those of others: `heirs` of which (native names).

    Cyrus tells nothing of a folder that is not there yet, and puts it under the root of the nearest one above it
    (RFC 2087 section 3); Dovecot and Courier answer for any name.
    """
    roots = list(roots)
    known = frozenset().union(*(root.folders for root in roots))
    return [
        replace(root, folders=root.folders | {new for new, above in heirs.items() if above in root.folders} - known)
        for root in roots
    ]


def _quota(answer: list[Token]) -> tuple[str, list[tuple[Literal["STORAGE", "MESSAGE"], int, int]]]:
    name = _text(answer[0]) if answer else ""
    triples = answer[1] if len(answer) > 1 and isinstance(answer[1], list) else []
    resources: list[tuple[Literal["STORAGE", "MESSAGE"], int, int]] = []
    for index in range(0, len(triples) - 2, 3):
        used, limit = number(triples[index + 1]), number(triples[index + 2])
        if used is None or limit is None:
            continue
        match _text(triples[index]).upper():
            case "STORAGE":
                resources.append(("STORAGE", used * _KIB, limit * _KIB))
            case "MESSAGE":
                resources.append(("MESSAGE", used, limit))
    return name, resources


def _text(token: Token) -> str:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else ""
