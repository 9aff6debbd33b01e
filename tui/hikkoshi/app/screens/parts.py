"""What the main screen is made of: its widgets and where they stand."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from hikkoshi.app.selection import Selection
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.folder_list import Facts, FolderList
from hikkoshi.app.widgets.gauge import Gauges
from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.app.widgets.lines import Lines
from hikkoshi.app.widgets.move_panel import MovePanel
from hikkoshi.app.widgets.pair_list import PairList


class Parts(Screen[None]):
    """The widgets of the main screen. What they do together is in `MainScreen`."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - an instance attribute to Textual
        (0, "-narrow"),
        (100, "-normal"),
        (150, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-low"),
        (30, "-high"),
    ]

    def __init__(self, selection: Selection, signs: Signs) -> None:
        super().__init__()
        self.selection, self.signs = selection, signs

    def compose(self) -> ComposeResult:
        """Title, gauges, folders beside the panes, the move, the status, the keys."""
        yield Lines(id="title")
        yield Gauges(self.signs, id="gauges")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield FolderList(self.signs, id="folders")
                yield Facts(id="facts")
            with Vertical(id="right"):
                yield Lines(id="heads")
                yield PairList(self.selection, self.signs, id="panes")
        yield MovePanel(self.signs, id="moving")
        yield Lines(id="status")
        yield KeyBar(id="keys")
        yield Lines(id="small")

    @property
    def panes(self) -> PairList:
        """The two panes."""
        return self.query_one("#panes", PairList)

    @property
    def folders(self) -> FolderList:
        """The folder list."""
        return self.query_one("#folders", FolderList)

    @property
    def gauges(self) -> Gauges:
        """The quota gauges."""
        return self.query_one("#gauges", Gauges)

    @property
    def panel(self) -> MovePanel:
        """What tells of a running move."""
        return self.query_one("#moving", MovePanel)

    @property
    def facts(self) -> Facts:
        """What differs in the folder that is shown."""
        return self.query_one("#facts", Facts)
