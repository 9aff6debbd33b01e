from hikkoshi.cli.checking import _pair_line
from hikkoshi.index.queries import Counts, FolderPair
from hikkoshi.mail.folders import Role


def pair(server: str | None, *, exists: bool) -> FolderPair:
    return FolderPair(1, "Outbox", server, server, exists, Role.OUTBOX, Counts(), 0, 0, 0, True)


def test_a_folder_that_an_upload_would_make_is_called_new() -> None:
    assert _pair_line(pair("Outbox", exists=False)) == "Outbox - Outbox (new): the same"


def test_a_folder_that_nothing_goes_to_is_not_called_new() -> None:
    assert _pair_line(pair(None, exists=False)) == "Outbox - (nothing): the same"
