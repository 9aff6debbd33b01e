"""A plan of flags and how it ended, for people and as JSON."""

from collections import Counter
from typing import Any

from hikkoshi.i18n import N_, _, ngettext
from hikkoshi.mail.flags import ANSWERED, FLAGGED, FORWARDED, SEEN
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.flag_plan import FlagFolder, FlagPlan

_NAMES = {
    SEEN.casefold(): N_("read"),
    ANSWERED.casefold(): N_("answered"),
    FLAGGED.casefold(): N_("flagged"),
    FORWARDED.casefold(): N_("forwarded"),
}


def flag_name(flag: str) -> str:
    """A flag for people: a word for those that every mail program shows, keywords as they are."""
    known = _NAMES.get(flag.casefold())
    return _(known) if known else sanitise(flag)


def flag_plan_lines(plan: FlagPlan) -> list[str]:
    """A plan for people: folders, and how many mails would get and lose each flag."""
    mails = plan.mails
    lines = [ngettext("{n:,} mail would get other flags", "{n:,} mails would get other flags", mails).format(n=mails)]
    lines += map(flag_folder_text, plan.folders)
    if plan.server_more:
        lines.append(
            ngettext(
                "{n:,} mail has flags on the server that it lacks on this PC; they stay (--remove takes them away)",
                "{n:,} mails have flags on the server that they lack on this PC; they stay (--remove takes them away)",
                plan.server_more,
            ).format(n=plan.server_more)
        )
    return lines


def flag_folder_text(folder: FlagFolder) -> str:
    """One line on what would change in a folder."""
    parts = [*_parts("+", folder.added), *_parts("-", folder.removed)]
    return f"  {len(folder.items):>7,}  {sanitise(folder.name)}: " + ", ".join(parts)


def flag_plan_json(plan: FlagPlan) -> dict[str, Any]:
    """The object `plan` of `sync-flags --json`."""
    return {
        "messages": plan.mails,
        "server_more": plan.server_more,
        "folders": [
            {
                "server": sanitise(folder.name),
                "messages": len(folder.items),
                "add": dict(sorted(folder.added.items())),
                "remove": dict(sorted(folder.removed.items())),
            }
            for folder in plan.folders
        ],
    }


def _parts(sign: str, counts: Counter[str]) -> list[str]:
    return [f"{sign}{flag_name(flag)} ({number:,})" for flag, number in sorted(counts.items())]
