"""Bulk work on one connection: listing folders, appending mail, reading back.

Folders are opened with EXAMINE and mail is read with BODY.PEEK, so looking changes nothing. Only `append`
changes the server; APPEND needs no folder to be open.
"""

from hikkoshi.server.appending import Appending
from hikkoshi.server.catching_up import CatchingUp
from hikkoshi.server.overview import Overviewing
from hikkoshi.server.readback import ReadBack


class Bulk(Overviewing, CatchingUp, ReadBack, Appending):
    """One connection for bulk work. One thread owns it.

    Every method may raise ConnectionLost or ProtocolBroken; the connection is closed then. CommandRefused
    (NO) leaves it usable.
    """
