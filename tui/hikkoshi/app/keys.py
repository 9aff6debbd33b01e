"""Every key of the main screen: bindings, key bar and help are made from this one table."""

import unicodedata
from dataclasses import dataclass

from textual.binding import Binding

from hikkoshi.i18n import N_


@dataclass(frozen=True, slots=True)
class Key:
    """`keys`: Textual's names, comma-separated; `name`: how users know them; `label`: for the key bar, '' for none."""

    keys: str
    action: str
    name: str
    label: str
    help: str

    def binding(self) -> Binding:
        """The Textual binding; our own key bar shows it."""
        return Binding(self.keys, self.action, self.label, show=False)


MOVE = (
    Key("up", "move(-1)", N_("Up, Down"), "", N_("one row up or down")),
    Key("down", "move(1)", "", "", ""),
    Key("pageup", "page(-1)", N_("PgUp, PgDn"), "", N_("one page up or down")),
    Key("pagedown", "page(1)", "", "", ""),
    Key("home,ctrl+home", "go(0)", N_("Home, End"), "", N_("first or last row")),
    Key("end,ctrl+end", "go(-1)", "", "", ""),
)

SELECT = (
    Key("space", "mark", N_("Space"), N_("Select"), N_("select the row, or no longer, and go one down")),
    Key("shift+up", "extend(-1)", N_("Shift+arrows"), "", N_("select from here on")),
    Key("shift+down", "extend(1)", "", "", ""),
    Key("shift+pageup", "extend_page(-1)", "", "", ""),
    Key("shift+pagedown", "extend_page(1)", "", "", ""),
    Key("shift+home", "extend_to(0)", "", "", ""),
    Key("shift+end", "extend_to(-1)", "", "", ""),
    Key("a,ctrl+a", "all", N_("a, Ctrl+A"), "", N_("select all rows of the list")),
)

SCREEN = (
    Key("m", "missing", N_("m"), N_("Missing"), N_("select all that the server lacks, in this folder")),
    Key("M", "all_missing", N_("M"), "", N_("select all that the server lacks, in all folders")),
    Key("u,f5", "upload", N_("u, F5"), N_("Upload"), N_("upload what is selected, else the row under the cursor")),
    Key("f", "flags", N_("f"), N_("Flags"), N_("set read state and flags on the server as they are on this PC")),
    Key("escape", "back", N_("Esc"), "", N_("select nothing; while mail moves: stop the move")),
    Key("d", "filter", N_("d"), N_("Show"), N_("show all rows, those that differ, or what is missing")),
    Key("v", "flip", N_("v"), N_("View"), N_("both sides, this PC alone, or the server alone")),
    Key("tab,shift+tab", "other_list", N_("Tab"), N_("Folders"), N_("between the folders and the mail")),
    Key("g,F", "mapping", N_("g, F"), N_("Mapping"), N_("which local folder goes to which server folder")),
    Key("h", "history", N_("h"), N_("Moves"), N_("past moves and their receipts; go on with one that ended early")),
    Key("r", "refresh", N_("r"), N_("Refresh"), N_("look at both sides again")),
    Key("p", "problems", N_("p"), "", N_("what could not be read or compared")),
    Key("question_mark,f1", "help", N_("?, F1"), N_("Help"), N_("this page")),
    Key("q", "quit", N_("q"), N_("Quit"), N_("leave; asks while mail moves")),
)

HELP = (*MOVE, *SELECT, *SCREEN)


def unfold_width(key: str, character: str | None) -> str | None:
    """The key that a full-width one of a Japanese input method stands for; None: it is no such key.

    `key` is Textual's name for it, `character` what it types; a full-width blank may come without one.
    """
    if key == "ideographic_space":
        return "space"
    if character is None or len(character) != 1 or not "\uff01" <= character <= "\uff5e":
        return None
    narrow = unicodedata.normalize("NFKC", character)
    return "question_mark" if narrow == "?" else narrow
