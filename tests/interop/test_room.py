"""What a plan calls fitting is never refused, by servers that count and round in their own ways."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.courier import Courier
from support.cyrus import Cyrus
from support.moving import mail
from support.private_server import PrivateServer
from support.sides import Sides

LIMIT = 60  # KiB
ROUNDED = 2 * 1023
LINE = "x" * 78 + "\n"


@pytest.fixture(params=["cyrus", "courier"])
def small(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    """A server with little room: Cyrus tells the use rounded down, Courier rounded up, and counts files with LF."""
    request.getfixturevalue(request.param)  # it skips where there is none
    server = Cyrus(storage=LIMIT, messages=8) if request.param == "cyrus" else Courier(LIMIT * 1024, 8)
    yield server
    server.close()


def test_what_fits_to_the_last_byte_is_taken(small: PrivateServer, tmp_path: Path) -> None:
    sides = Sides(tmp_path, small, small.make_user(), small.password)
    content = [mail(f"in-{n}", body=LINE * 80) for n in range(7)]
    last = mail("last")
    used = sum(len(each) + each.count(b"\n") for each in [*content, last])
    last += b"y" * (LIMIT * 1024 - ROUNDED - used - 2) + b"\n"
    sides.mover.options = ("--reserve", "0")

    sides.mover.write(Inbox=[*content, last.replace(b"yy\n", b"yyy\n")])
    over = json.loads(sides.mover.run("upload", "--dry-run", "--json").stdout)["plan"]
    sides.mover.write(Inbox=[*content, last])
    done = json.loads(sides.upload("--json").stdout)
    sides.close()

    assert (over["fits"], over["missing"][0]["missing"]) == (False, 1)
    assert (done["state"], done["moved"]["messages"], done["not_moved"]) == ("done", 8, [])


def test_more_mails_than_the_limit_are_not_begun(small: PrivateServer, tmp_path: Path) -> None:
    sides = Sides(tmp_path, small, small.make_user(), small.password)
    sides.mover.options = ("--reserve", "0")
    sides.mover.write(Inbox=[mail(f"in-{n}") for n in range(9)])
    refused = sides.upload()
    done = json.loads(sides.upload("--fit", "newest", "--json").stdout)
    sides.close()

    assert refused.returncode == 3
    assert (done["state"], done["moved"]["messages"], done["plan"]["left_out"]["messages"]) == ("done", 8, 1)
