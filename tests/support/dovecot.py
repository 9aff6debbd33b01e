"""A private Dovecot: its own folder, ports and certificate; nothing of it is left when it is closed.

    def test_something(dovecot: Dovecot) -> None:
        user = dovecot.make_user()
        with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client: client.login(user, dovecot.password)

The fixtures `dovecot` (one for the session, 1 GiB of quota) and `dovecot_with` (special settings) stand in
tests/conftest.py.
"""

import atexit
import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support import tools
from support.certificates import Certificates, make_certificates
from support.dovecot_config import PASSWORD, Place, Settings, config_text

_START_SECONDS = 15
_names = itertools.count(1)
_certificates: list[Certificates] = []


class Dovecot:
    """A running server. Every user name logs in with `password` and owns a mailbox of its own.

    `host`: '127.0.0.1' unless the settings say otherwise; the certificate is for it and for 'localhost'.
    `imap_port` offers STARTTLS and plain logins, `imaps_port` TLS at once; the same for POP3.
    `ca_file`: the authority to trust.
    """

    def __init__(self, settings: Settings = Settings()) -> None:  # noqa: B008 - frozen
        self._tool = tools.dovecot()
        self.settings = settings
        self.host = settings.listen
        self.password = PASSWORD
        # Unix sockets have room for 108 bytes of path, which pytest's own temporary folders use up.
        self.folder = Path(tempfile.mkdtemp(prefix="hikkoshi-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)  # for a run that ends before its fixtures do
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        if not _certificates:
            folder = Path(tempfile.mkdtemp(prefix="hikkoshi-ca-"))
            atexit.register(shutil.rmtree, folder)
            _certificates.append(make_certificates(folder))
        self.certificates = _certificates[0]
        self.ca_file = self.certificates.ca
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
        uid, gid = _mail_user()
        self._identity = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
        self.imap_port, self.imaps_port, self.pop3_port, self.pop3s_port = _free_ports(self.host, 4)
        modern = self._tool.version.startswith("2.4.")
        place = Place(
            self.folder, _user_name(uid), _group_name(gid), uid, gid,
            self.imap_port, self.imaps_port, self.pop3_port, self.pop3s_port, self._relocation(modern=modern),
        )  # fmt: skip
        self._tls_copy(uid, gid)
        self.config = self.folder / "dovecot.conf"
        text = config_text(self.settings, place, self._own_certificates, modern=modern)
        self.config.write_text(text)
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, uid, gid)

    def _tls_copy(self, uid: int, gid: int) -> None:
        """The certificates where the server's user can read them."""
        own = [shutil.copy(path, self.folder) for path in (self.certificates.certificate, self.certificates.key)]
        self._own_certificates = Certificates(self.ca_file, *map(Path, own))

    def _relocation(self, *, modern: bool) -> str:
        if self._tool.prefix is None:
            return ""
        path = f"LD_LIBRARY_PATH={self._tool.libraries}"
        return f"import_environment {{\n  {path.replace('=', ' = ')}\n}}" if modern else f"import_environment = {path}"

    def start(self) -> None:
        """Start it and wait for the greeting; raises RuntimeError with the log where none comes."""
        command = [str(self._tool.path), "-F", "-c", str(self.config)]
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                env=self._tool.environment(), start_new_session=True, **self._identity,  # type: ignore[arg-type]
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not _greets(self.host, self.imap_port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Dovecot did not start:\n{self.log()}")
            time.sleep(0.01)  # noqa: TID251 - the port opens when it opens

    def stop(self) -> None:
        """Kill it: connections are cut without a word, the mail stays. (Asked politely it takes a second.)"""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop and start it again on the same ports with the same mail."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def make_user(self, name: str = "user") -> str:
        """A user name that nobody has used on any server of this run; its mailbox is empty."""
        return f"{name}{os.getpid()}x{next(_names)}"

    def mail_dir(self, user: str) -> Path:
        """The Maildir++ of `user`: INBOX in cur/ and new/, a folder 'a/b' in '.a.b/'. Made at the first login."""
        return self.folder / "mail" / user / "Maildir"

    def log(self) -> str:
        """The last 4,000 characters of what it said."""
        said = [
            path.read_text(errors="replace") for name in ("out", "dovecot.log") if (path := self.folder / name).exists()
        ]
        return "".join(said)[-4000:]


def _greets(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 1) as connection:
            return connection.recv(100).startswith(b"* OK")
    except OSError:
        return False


def _mail_user() -> tuple[int, int]:
    """Uid and gid it runs as: this user's; for root nobody's, since Dovecot refuses to serve root's mail."""
    import pwd

    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return entry.pw_uid, entry.pw_gid


def _user_name(uid: int) -> str:
    import pwd

    return pwd.getpwuid(uid).pw_name


def _group_name(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _free_ports(host: str, count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((host, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
