"""What the kernel tells of a running program and its children (proc(5))."""

from pathlib import Path

_PROC = Path("/proc")


def together(pid: int) -> int:
    """Bytes of memory of a process and all below it: shared pages count once (Pss), those that ended count nothing."""
    return sum(_told(one, "smaps_rollup", "Pss:") for one in family(pid))


def largest(pid: int) -> int:
    """Bytes of the most that one process of those has had resident until now (VmHWM)."""
    return max(_told(one, "status", "VmHWM:") for one in family(pid))


def family(pid: int) -> list[int]:
    """The process and its children, and theirs."""
    found = [pid]
    for one in found:
        for task in _listed(_PROC / str(one) / "task"):
            try:
                found += map(int, (task / "children").read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def _told(pid: int, file: str, name: str) -> int:
    try:
        text = (_PROC / str(pid) / file).read_text()
    except OSError:  # it has just ended
        return 0
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
