"""Writing message summaries (.msf) as Thunderbird 153 writes them: Mork 1.4, dictionaries, tables, groups."""

from collections.abc import Iterable
from dataclasses import dataclass

_COLUMNS = (
    "ns:msg:db:row:scope:msgs:all", "subject", "flags", "size", "storeToken", "msgOffset", "keywords", "folderSize",
    "folderDate", "numMsgs", "mailboxName", "ns:msg:db:table:kind:msgs", "ns:msg:db:table:kind:dbfolderinfo",
    "ns:msg:db:row:scope:dbfolderinfo:all", "ns:msg:db:table:kind:thread", "preview", "folderName",
)  # fmt: skip
_ALIAS = {name: f"{number:X}" for number, name in enumerate(_COLUMNS, 0x80)}


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One message of a summary. `token`: the offset of its From_ line in decimal, or its file name in a maildir."""

    token: str
    flags: int = 0
    keywords: str = ""
    subject: str = ""


def summary(
    rows: Iterable[SummaryRow], *, folder_size: int | None, folder_date: int, mailbox_name: str = "", removed: int = 0
) -> bytes:
    """The text of an .msf.

    The flags stand in a group of changes behind the table, where most of a real summary's do. `removed` more
    rows are in the table at first and cut again by a later change. `folder_size` None: a maildir's, which says
    neither size nor date.
    """
    rows = list(rows)
    text = [_head()]
    listed = [*rows, *(SummaryRow(f"{number}", subject="removed") for number in range(1, removed + 1))]
    text.append(_table(listed))
    text.append("@$${1{@\n")
    text.extend(_changes(number, row) for number, row in enumerate(rows, 1))
    if removed:
        cut = " ".join(f"-{len(rows) + number:X}" for number in range(1, removed + 1))
        text.append(f"{{1:^{_ALIAS['ns:msg:db:row:scope:msgs:all']} {cut} }}\n")
    text.append(_info(folder_size, folder_date, mailbox_name, len(rows)))
    text.append("@$$}1}@\n\n")
    # What an interrupted Thunderbird leaves: none of this counts.
    text.append(f"@$${{2{{@\n[1:^{_ALIAS['ns:msg:db:row:scope:msgs:all']}(^{_ALIAS['flags']}=8)]\n@$$}}~abort~2}}@\n")
    return "".join(text).encode("ascii")


def escaped(value: bytes) -> str:
    """`value` as it stands between = and ) in Mork."""
    out = []
    for byte in value:
        char = chr(byte)
        if char in "\\)$":
            out.append("\\" + char)
        else:
            out.append(char if 0x20 <= byte < 0x7F else f"${byte:02X}")
    return "".join(out)


def _head() -> str:
    columns = "".join(f"({alias}={name})" for name, alias in _ALIAS.items())
    return f'// <!-- <mdb:mork:z v="1.4"/> -->\n< <(a=c)> // (f=iso-8859-1)\n  {columns}>\n'


def _table(rows: list[SummaryRow]) -> str:
    scope, kind = _ALIAS["ns:msg:db:row:scope:msgs:all"], _ALIAS["ns:msg:db:table:kind:msgs"]
    subjects = "".join(
        f"({0x1000 + number:X}={escaped(row.subject.encode())})" for number, row in enumerate(rows, 1) if row.subject
    )
    lines = [f"<{subjects}>\n{{1:^{scope} {{(k^{kind}:c)(s=9)}} \n"]
    for number, row in enumerate(rows, 1):
        subject = f"(^{_ALIAS['subject']}^{0x1000 + number:X})" if row.subject else ""
        lines.append(
            f"  [{number:X}(^{_ALIAS['flags']}=0){subject}\n    (^{_ALIAS['storeToken']}={escaped(row.token.encode())})]\n"
        )
    threads = _ALIAS["ns:msg:db:table:kind:thread"]
    lines.append(
        "}\n"
        + "".join(f"{{{n:X}:^{scope} {{(k^{threads}:c)(s=9){n:X}:m }} {n:X} }}\n" for n in range(2, len(rows) + 1))
    )
    return "".join(lines)


def _changes(number: int, row: SummaryRow) -> str:
    scope = _ALIAS["ns:msg:db:row:scope:msgs:all"]
    text = ""
    if row.flags:
        text += f"[{number:X}:^{scope}(^{_ALIAS['flags']}={row.flags:x})]\n"
    if row.keywords:
        alias = f"{0x100000 + number:X}"
        text += f"<({alias}={escaped(row.keywords.encode())})>[{number:X}:^{scope}(^{_ALIAS['keywords']}^{alias})]\n"
    return text


def _info(folder_size: int | None, folder_date: int, mailbox_name: str, count: int) -> str:
    scope, kind = _ALIAS["ns:msg:db:row:scope:dbfolderinfo:all"], _ALIAS["ns:msg:db:table:kind:dbfolderinfo"]
    name = f"(^{_ALIAS['mailboxName']}={escaped(mailbox_name.encode())})" if mailbox_name else ""
    size = (
        f"(^{_ALIAS['folderSize']}={folder_size:x})(^{_ALIAS['folderDate']}={folder_date:x})"
        if folder_size is not None
        else ""
    )
    return f"{{1:^{scope} {{(k^{kind}:c)(s=9)}} \n  [1{size}(^{_ALIAS['numMsgs']}={count:x}){name}]}}\n"
