"""Bulk work on one connection: listing folders, appending mail, reading back, storing flags.

Folders are opened with EXAMINE and mail is read with BODY.PEEK, so looking changes nothing. Only appending.py (which
needs no folder to be open) and storing.py change the server.
"""

from hikkoshi.server.appending import Appending
from hikkoshi.server.catching_up import CatchingUp
from hikkoshi.server.overview import Overviewing
from hikkoshi.server.storing import Storing


class Bulk(Overviewing, CatchingUp, Storing, Appending):
    """One connection for bulk work. One thread owns it.

    Every method may raise ConnectionLost or ProtocolBroken; the connection is closed then. CommandRefused
    (NO) leaves it usable.
    """
