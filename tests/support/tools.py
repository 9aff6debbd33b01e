"""Programs that the tests need and pip cannot give: mail servers and tmux, from Debian's or Ubuntu's packages.

`python tests/support/tools.py` gets all beforehand; the fixtures ask for what they need by themselves.
Already installed is best. Else `apt-get install` where this is root or sudo asks for no password; else the
packages are unpacked, without root, into a cache folder of our own. On a PC that runs systemd unpacking
comes first: installing Dovecot would start a mail server that listens to the world. Cyrus and Courier are
only ever unpacked: two installed mail servers fight for the same ports.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import platformdirs

# Root's servers run as nobody, who may not look into root's home.
_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_CACHE = Path("/var/cache/hikkoshi-tests" if _ROOT else platformdirs.user_cache_dir("hikkoshi-tests"))
# Where Dovecot looks for its parts, and what the links to them are called: /tmp/123456789/d is as long.
_BUILT_IN = {"d": "/usr/lib/dovecot", "dc": "/usr/bin/doveconf"}
_NO_START = ["env", "SYSTEMD_OFFLINE=1", "DEBIAN_FRONTEND=noninteractive"]
_PATIENCE = 300  # seconds for one run of apt; a slow mirror needs about 20


class NotHad(Exception):
    """A program cannot be had here; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program at `path`; `prefix` is the folder its packages were unpacked into, None if it is installed."""

    path: Path
    prefix: Path | None = None
    version: str = ""

    def environment(self) -> dict[str, str]:
        """This process's environment, with the way to the unpacked libraries."""
        if self.prefix is None:
            return dict(os.environ)
        return os.environ | {"LD_LIBRARY_PATH": self.libraries}

    @property
    def libraries(self) -> str:
        """LD_LIBRARY_PATH for the unpacked packages."""
        assert self.prefix is not None
        own = ("usr/lib/dovecot", "usr/lib/courier-authlib", "usr/lib")
        folders = [*(self.prefix / name for name in own), *sorted(self.prefix.glob("**/*-linux-gnu"))]
        return ":".join(str(folder) for folder in folders if folder.is_dir())


@cache
def dovecot() -> Tool:
    """Dovecot's IMAP and POP3 servers, got if need be; raises NotHad."""
    tool = _obtain("dovecot", ["dovecot-imapd", "dovecot-pop3d"], "usr/sbin/dovecot")
    version = _run([str(tool.path), "--version"], env=tool.environment()).strip()
    if not version.startswith(("2.3.", "2.4.")):  # each has a configuration language of its own
        raise NotHad(f"Dovecot 2.3 or 2.4 is needed, this is {version}")
    return replace(tool, version=version)


@cache
def cyrus() -> Tool:
    """Cyrus IMAP's master process, unpacked if need be; raises NotHad."""
    return _unpacked("cyrus", ["cyrus-imapd", "sasl2-bin"], "usr/lib/cyrus/bin/master")


@cache
def courier() -> Tool:
    """Courier's IMAP server, unpacked if need be; raises NotHad, also where no namespace can be made for it.

    The paths /etc/courier and /run/courier are built into it, too short to be overwritten.
    """
    try:
        _run([*namespace(), "true"])
    except (subprocess.SubprocessError, OSError) as error:
        raise NotHad(f"courier needs a mount namespace: {_reason(error)}") from error
    return _unpacked("courier", ["courier-imap"], "usr/bin/imapd")


def namespace() -> list[str]:
    """The command that runs another with its own mounts, as root or as anybody; all that it starts ends with it."""
    return ["unshare", *([] if _ROOT else ["--map-root-user"]), "--mount", "--pid", "--fork", "--kill-child", "--"]


@cache
def tmux() -> Tool:
    """The terminal multiplexer tmux, got if need be; raises NotHad."""
    return _obtain("tmux", ["tmux"], "usr/bin/tmux")


@cache
def mbsync() -> Tool:
    """The mailbox synchroniser mbsync, got if need be; raises NotHad."""
    return _obtain("mbsync", ["isync"], "usr/bin/mbsync")


def _obtain(name: str, packages: list[str], program: str) -> Tool:
    if found := _installed(name, program):
        return found
    if sys.platform != "linux" or not shutil.which("apt-get"):
        raise NotHad(f"{name} is not installed, and there is no apt-get to get it with")
    with _alone(name):
        ways = [_install, _unpack]
        if os.geteuid() != 0 and Path("/run/systemd/system").exists():
            ways.reverse()
        reasons = []
        for way in ways:
            try:
                if found := way(name, packages, program):
                    return found
            except (subprocess.SubprocessError, OSError) as error:
                reasons.append(_reason(error))
    raise NotHad(f"{name} cannot be had: " + "; ".join(reasons))


def _unpacked(name: str, packages: list[str], program: str) -> Tool:
    """From the packages without installing them, whoever this is."""
    if sys.platform != "linux" or not shutil.which("apt-get"):
        raise NotHad(f"there is no apt-get to get {name} with")
    with _alone(name):
        try:
            return _unpack(name, packages, program)
        except (subprocess.SubprocessError, OSError) as error:
            raise NotHad(f"{name} cannot be had: {_reason(error)}") from error


def _installed(name: str, program: str) -> Tool | None:
    path = shutil.which(name) or shutil.which(Path(program).name, path="/usr/sbin:/usr/local/sbin")
    if path and name == "dovecot" and not Path("/usr/lib/dovecot/imap").exists():
        return None  # dovecot-core alone
    return Tool(Path(path)) if path else None


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Several test processes (xdist) may want the same program at once: one gets it, the others wait."""
    import fcntl

    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], **options: object) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE, **options)  # type: ignore[call-overload]
    return str(done.stdout)


def _reason(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = (error.stderr or error.stdout or "").strip().splitlines()
        return f"{' '.join(error.cmd[:3])}: {said[-1] if said else f'exit {error.returncode}'}"
    return " ".join(str(error).split())


def _install(name: str, packages: list[str], program: str) -> Tool | None:
    if found := _installed(name, program):  # another process was quicker
        return found
    root = _NO_START if os.geteuid() == 0 else ["sudo", "-n", *_NO_START]
    command = [*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    try:
        _run(command)
    except subprocess.CalledProcessError:  # apt's lists are missing or old
        _run([*root, "apt-get", "update", "-qq"])
        _run(command)
    return _installed(name, program)


def _unpack(name: str, packages: list[str], program: str) -> Tool:
    prefix = _CACHE / name
    if not (prefix / program).exists():
        fresh = Path(tempfile.mkdtemp(dir=_CACHE))
        try:
            for package in _download(packages, fresh):
                _run(["dpkg", "-x", str(package), str(fresh)])
                package.unlink()
            shutil.rmtree(prefix, ignore_errors=True)
            fresh.chmod(0o755)
            fresh.rename(prefix)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    if name == "dovecot":
        _relocate(prefix)
    return Tool(prefix / program, prefix)


def _download(packages: list[str], folder: Path) -> list[Path]:
    """The packages, and those they need that are not installed, as .deb files in `folder`."""
    for name in ("archives/partial", "lists/partial"):
        (folder / name).mkdir(parents=True)
    # A cache of our own: apt names no address for a package that lies in the system's.
    options = ["-o", f"Dir::Cache={folder}"]
    listing = ["install", "--print-uris", "-y", "-qq", "--no-install-recommends", *packages]
    try:
        uris = _run(["apt-get", *options, *listing])
    except subprocess.CalledProcessError:  # apt's lists are missing; lists of our own need no root
        options += ["-o", f"Dir::State::lists={folder}/lists"]
        _run(["apt-get", *options, "update", "-qq"])
        uris = _run(["apt-get", *options, *listing])
    files = [line.split()[1] for line in uris.splitlines() if line.startswith("'")]
    names = ["=".join(file.split("_")[:2]).replace("%3a", ":") for file in files]
    _run(["apt-get", *options, "download", "-qq", *names], cwd=folder)
    return sorted(folder.glob("*.deb"))


def _relocate(prefix: Path) -> None:
    """Make unpacked Dovecot find itself: the paths built into it are overwritten by links as long as they.

    The links lie in a folder of random name that only this user can write to; after a reboot it is made again,
    and should somebody else own the name by then, another is taken.
    """
    note = prefix / "links"
    former = Path(note.read_text()) if note.exists() else None
    if former and _link(former, prefix):
        return
    folder = Path("/tmp") / secrets.token_hex(5)[:9]
    if not _link(folder, prefix):
        raise OSError(f"{folder} belongs to somebody else")
    changes = [
        (os.fsencode(former / name) if former else os.fsencode(path), os.fsencode(folder / name))
        for name, path in _BUILT_IN.items()
    ]
    assert all(len(old) == len(new) for old, new in changes)
    for path in prefix.glob("usr/**/*"):
        if path.is_symlink() or not path.is_file():
            continue
        before = content = path.read_bytes()
        if content.startswith(b"\x7fELF"):
            for old, new in changes:
                content = content.replace(old, new)
            if content != before:
                path.write_bytes(content)
    note.write_text(str(folder))


def _link(folder: Path, prefix: Path) -> bool:
    """Make the links, where they are not there; whether they are there and ours."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat()
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o777 != 0o700:
        return False
    for name, path in _BUILT_IN.items():
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(prefix / path.removeprefix("/"))
        if link.readlink() != prefix / path.removeprefix("/"):
            return False
    return True


def main() -> None:
    """Get everything, saying in one line for each what is had or why not. Never fails: the tests that need it skip."""
    getters: list[Callable[[], Tool]] = [dovecot, cyrus, courier, tmux, mbsync]
    for get in getters:
        try:
            print(f"{get.__name__}: {get().path}")
        except NotHad as reason:
            print(f"{get.__name__}: the tests that need it will be left out: {reason}")


if __name__ == "__main__":
    main()
