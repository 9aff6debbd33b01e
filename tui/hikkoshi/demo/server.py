"""The demo's IMAP server: one account in memory, on loopback, in a thread of its own.

For the demo and for fault injection only. It never keeps mail: everything is gone when it stops.
"""

import asyncio
import contextlib
import threading

from hikkoshi.demo.connection import LINE_LIMIT, Connection, Pace
from hikkoshi.demo.faults import Faults
from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.state import CAPABILITIES, State

HOST = "127.0.0.1"
_SECONDS = 10  # to start or stop
_NEEDS = {"QRESYNC": "CONDSTORE", "LIST-STATUS": "LIST-EXTENDED"}
"""Extensions that are built on another."""


class DemoServer:
    """An IMAP4rev1 server for `account`; `without` names capabilities that it shall not have, nor what needs them.

    `pace` makes the line seem slow; it and `faults` may be changed at any time.
    """

    def __init__(self, account: Account, *, pace: Pace | None = None, without: tuple[str, ...] = ()) -> None:
        self.account = account
        self.faults = Faults()
        self.pace = pace or Pace()
        self.host = HOST
        self.port = 0
        missing = {*without, *(name for name, needed in _NEEDS.items() if needed in without)}
        self._capabilities = tuple(each for each in CAPABILITIES if each not in missing)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._started = threading.Event()
        self._failure: OSError | None = None

    def start(self) -> int:
        """Begin to listen and return the port; raises OSError where loopback cannot be listened on."""
        self._thread = threading.Thread(target=self._run, name="demo server", daemon=True)
        self._thread.start()
        if not self._started.wait(_SECONDS):
            raise TimeoutError("The demo server did not start.")
        if self._failure:
            raise self._failure
        return self.port

    def stop(self) -> None:
        """Cut all connections and end; its mail is gone with it."""
        if self._thread is None:
            return
        if self._loop is not None and self._ended is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_SECONDS)
        self._thread = None

    def __enter__(self) -> "DemoServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, HOST, 0, limit=LINE_LIMIT)
        self.port = int(server.sockets[0].getsockname()[1])
        self._started.set()
        await self._ended.wait()
        server.close()
        left = dict(self._conversations)
        for task, writer in left.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*left)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._conversations[task] = writer
        state = State(self.account, self._capabilities)
        # Python 3.11 writes a traceback to the terminal for a conversation that ends as cancelled.
        with contextlib.suppress(asyncio.CancelledError):
            await Connection(reader, writer, state, self.faults, self.pace).serve()
        self._conversations.pop(task, None)
