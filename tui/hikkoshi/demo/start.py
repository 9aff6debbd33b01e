"""Brings the demo up: a sample store in a temporary folder, and a server on loopback that has its account."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hikkoshi.demo.connection import Pace
from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.sample import Expected, write_sample
from hikkoshi.demo.server import DemoServer
from hikkoshi.demo.texts import OWNER

PASSWORD = "demo"  # noqa: S105 - of an account that lives as long as the demo, on loopback
# A line as of a small office: the upload of the sample takes seconds, so that there is something to see.
_PACE = Pace(latency=0.02, rate=1_500_000)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo. `local`: the profile's folder; `url`: 'imap://user@127.0.0.1:port', user percent-encoded."""

    local: Path
    url: str
    user: str
    password: str
    expected: Expected
    server: DemoServer
    folder: Path

    def close(self) -> None:
        """Stop the server and remove the store."""
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_demo(*, pace: Pace = _PACE) -> Demo:
    """Write the sample and start the server; about half a second. Raises OSError where either cannot be done."""
    folder = Path(tempfile.mkdtemp(prefix="hikkoshi-demo-"))
    try:
        account = Account(OWNER.address, PASSWORD)
        expected = write_sample(folder, account)
        server = DemoServer(account, pace=pace)
        port = server.start()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    url = f"imap://{quote(account.user, safe='')}@{server.host}:{port}"
    return Demo(expected.profile, url, account.user, PASSWORD, expected, server, folder)
