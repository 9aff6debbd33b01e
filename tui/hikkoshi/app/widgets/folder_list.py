"""The folder pairs with the number of their differences, and what these are for the one that is shown."""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from hikkoshi.app.row_text import cut, cut_start
from hikkoshi.app.signs import KINDS, PENDING, Kind, Signs
from hikkoshi.app.widgets.line_list import LineList
from hikkoshi.app.widgets.lines import Lines, Shown
from hikkoshi.app.words import kind_counts
from hikkoshi.i18n import _
from hikkoshi.index.queries import Counts, FolderPair, total
from hikkoshi.mail.folders import LEFT_OUT

_WITH_KINDS = 38  # cells from which the kinds stand beside the number


class FolderList(LineList):
    """All folders at the top, then each folder pair. `pair` is the one under the cursor, None for all."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "folder--cursor",
        "folder--away",
        "folder--dim",
        "folder--count",
        "folder--bad",
    }
    DEFAULT_CSS = """
    FolderList { background: $panel; color: $row-text; }
    FolderList > .folder--cursor { background: $row-cursor; text-style: bold; }
    FolderList > .folder--away { background: $row-cursor-away; text-style: bold; }
    FolderList > .folder--dim { color: $row-same; }
    FolderList > .folder--count { color: $bar-key; text-style: bold; }
    FolderList > .folder--bad { color: $bad; text-style: bold; }
    """

    def __init__(self, signs: Signs, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.signs = signs
        self.pairs: tuple[FolderPair, ...] = ()
        self.whole = True
        self._shown = False

    def show(self, pairs: tuple[FolderPair, ...], *, whole: bool = True) -> None:
        """Show these pairs; the cursor stays at the folder where it was. `whole`: the server was listed to its end."""
        old, before, top = self.pair, self.cursor, self.scroll_offset.y
        self.pairs, self.whole = pairs, whole
        same = [
            number
            for number, pair in enumerate(pairs, 1)
            if old and (pair.local, pair.target) == (old.local, old.target)
        ]
        if same:
            self.renew(len(pairs) + 1, same[0], top + same[0] - before)
            return
        # At first the inbox, or whatever the PC lists first; all folders together are the line above.
        first = 0 if self._shown else 1
        self._shown = self._shown or bool(pairs)
        self.resize_to(len(pairs) + 1 if pairs else 0, first)

    @property
    def pair(self) -> FolderPair | None:
        """The pair under the cursor; None: all folders."""
        return self.pairs[self.cursor - 1] if 0 < self.cursor <= len(self.pairs) else None

    @property
    def counts(self) -> Counts:
        """The differences of what is under the cursor."""
        return self.pair.counts if self.pair else total(self.pairs)

    @property
    def pending(self) -> int:
        """How many mails of what is under the cursor nothing is said of yet."""
        return self.pair.pending if self.pair else sum(pair.pending for pair in self.pairs)

    def line_at(self, position: int, width: int) -> Strip:
        """A folder's name and the number of its differences."""
        pair = self.pairs[position - 1] if position else None
        counts = pair.counts if pair else total(self.pairs)
        differing = pair.differing if pair else sum(each.differing for each in self.pairs)
        number = f"{differing:,}" if differing else ""
        if width >= _WITH_KINDS:
            number = "  ".join([*(f"{self.signs.of(kind)}{n}" for kind, n in kind_counts(counts)[:4]), number])
        bad = pair is not None and not pair.known and self.whole
        if pair and (bad or pair.pending or not pair.known):
            number = f"{'!' if bad else self.signs.of(PENDING)} {number}".rstrip()
        style = self._base(position, pair)
        count = style + self._part("bad" if bad else "count")
        name = self._label(pair, width - cell_len(number) - 3)
        return Strip([Segment(f" {name} ", style), Segment(f"{number} ", count)]).adjust_cell_length(width, style)

    def on_click(self, event: events.Click) -> None:
        """Show the folder that was clicked."""
        if self.is_line(event.screen_offset):
            self.move_to(self.position_at(event.screen_offset))

    def _label(self, pair: FolderPair | None, width: int) -> str:
        if pair is None:
            return cut(_("All folders"), width, self.signs.more)
        if pair.local is None:
            return cut_start(_("server: {folder}").format(folder=pair.server), width, self.signs.more)
        return cut_start(pair.local, width, self.signs.more)

    def _base(self, position: int, pair: FolderPair | None) -> Style:
        style = self.rich_style
        if pair and (pair.role in LEFT_OUT or pair.local is None):
            style += self._part("dim")
        if position == self.cursor:
            style += self._part("cursor" if self.has_focus else "away")
        return style

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"folder--{name}", partial=True)


class Facts(Lines):
    """What differs in the folder that is shown: sign, meaning, number. A legend that is always in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{kind.name}" for kind in KINDS}
    DEFAULT_CSS = "\n".join(
        [
            "Facts { background: $panel; height: auto; }",
            *(f"Facts > .line--{kind.name} {{ color: $row-{kind.name}; text-style: bold; }}" for kind in KINDS),
        ]
    )

    def tell(self, counts: Counts, pending: int, signs: Signs, *, whole: bool) -> None:
        """Show the numbers of each kind that there is. `whole`: both sides were compared, to their ends."""
        # A number that is missing would be taken for none.
        self.keeps_right, self.more = True, signs.more
        lines: list[Shown] = [_fact(kind, number, signs) for kind, number in kind_counts(counts, pending)]
        if whole and not lines:
            lines = [([(" " + _("no differences"), "good")], [])]
        self.styles.height = len(lines) + 1
        self.show([([], []), *lines])


def _fact(kind: Kind, number: int, signs: Signs) -> Shown:
    return [(f" {signs.of(kind)} ", kind.name), (_(kind.short), "head")], [(f"{number:,} ", "strong")]
