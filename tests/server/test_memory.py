"""Memory does not grow with the largest mail: it is streamed from the disk, in each way of sending."""

import re
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Mover, held, mail, mover_to, user_of

pytestmark = pytest.mark.dovecot

MIB = 1 << 20
LARGE = 200 * MIB
WAYS = {"together": (), "hurried": ("MULTIAPPEND",), "waiting": ("MULTIAPPEND", "LITERAL+")}


def peak(mover: Mover) -> int:
    """Bytes of the most that the program, or a process that it started, had resident while it uploaded.

    What the system says of a process that has ended counts in what its parent had before it became that program.
    """
    process = mover.start("upload", "--yes")
    most = 0
    while process.poll() is None:
        most = max(most, *map(high_water, family(process.pid)), 0)
        Event().wait(0.01)
    _out, err = process.communicate()
    assert process.returncode == 0, err
    return most


def family(pid: int) -> list[int]:
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(each for child in children for each in family(int(child)))]
    return [pid]


def high_water(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
@pytest.mark.parametrize("way", WAYS)
def test_a_mail_of_200_mib_costs_less_than_32(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path, way: str) -> None:
    proxy.hidden = WAYS[way]
    line = "0123456789" * 7 + "\n"
    peaks = {}
    for name, body in {"small": line, "large": line * (LARGE // len(line))}.items():
        (tmp_path / name).mkdir()
        mover = mover_to(dovecot, tmp_path / name)
        mover.go_through(proxy)
        mover.write(Inbox=[mail(name, body=body), mail("other")])
        proxy.sent.clear()
        peaks[name] = peak(mover)
        (mover.store / "Inbox").unlink()  # pytest keeps the folder
        there = {each.name: len(each.content) for each in held(dovecot.mail_dir(user_of(mover)))}
        assert there[name] >= len(body)

    assert peaks["small"] > 10 * MIB, "it was seen at work"
    assert peaks["large"] - peaks["small"] < 32 * MIB
