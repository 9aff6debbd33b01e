"""The programs we compare with: from Debian's packages, imapsync from a path that the user gives.

Each keeps its own state in a folder, does what a user of it would let it do every day, and is run as a whole
process. What is not here and cannot be installed is `Missing`, with the reason.
"""

import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.figures import Missing
from support.line import Line
from support.servers import Account
from support.timing import Run, run

_PACKAGES = {"mbsync": "isync", "offlineimap": "offlineimap3"}
_PATIENCE = 300


@cache
def program(name: str) -> Path | Missing:
    """mbsync or offlineimap, installed with apt where this is root."""
    if found := shutil.which(name):
        return Path(found)
    package = _PACKAGES[name]
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        return Missing(f"{name} is not installed (Debian: apt install {package})")
    command = [apt, "install", "-y", "-qq", "--no-install-recommends", package]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for before in ([], [[apt, "update", "-qq"]]):
        for each in (*before, command):
            done = subprocess.run(each, capture_output=True, text=True, check=False, timeout=_PATIENCE, env=environment)
        if found := shutil.which(name):
            return Path(found)
    return Missing(f"apt install {package} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def imapsync(given: Path | None) -> Path | Missing:
    """imapsync where the user said it is; Debian has no package of it."""
    if given is None:
        return Missing("no path to it was given (--imapsync PATH or HIKKOSHI_IMAPSYNC)")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [given.resolve(), "--version"], capture_output=True, text=True, check=False, cwd=folder, timeout=_PATIENCE
        ) if given.is_file() else None  # fmt: skip
    if done is None or done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[0] if done else "it is no file"
        return Missing(f"{given.name} does not run: {said[:120]}")
    return given.resolve()


@dataclass(frozen=True, slots=True)
class Mbsync:
    """mbsync (isync) between a Maildir and an account; `maildir` is filled by its first run."""

    path: Path
    folder: Path
    account: Account

    @property
    def maildir(self) -> Path:
        """The local inbox; other folders are in it as `.name`, as in Maildir++."""
        return self.folder / "mail"

    def run(self, line: Line, *, push: bool = False) -> Run:
        """One run: what changed on either side, which is nothing for a no-op. `push`: only the inbox, towards the server."""
        host, port = line.reach(self.account.server.imaps_port)
        self.folder.mkdir(exist_ok=True)
        (self.folder / "state").mkdir(exist_ok=True)
        settings = self.folder / "mbsyncrc"
        settings.write_text(
            f"IMAPAccount account\nHost {host}\nPort {port}\nUser {self.account.user}\n"
            f'PassCmd "echo {self.account.password}"\nSSLType IMAPS\n'
            # The server's own certificate: mbsync 1.4 takes no authority's word for an address.
            f"CertificateFile {self.account.server.certificates.certificate}\nTimeout 120\n\n"
            "IMAPStore far\nAccount account\n\n"
            f"MaildirStore near\nInbox {self.maildir}\nSubFolders Maildir++\n\n"
            f"Channel all\nFar :far:\nNear :near:\nPatterns {'INBOX' if push else '*'}\n"
            f"Create {'Far' if push else 'Near'}\nSync {'Push' if push else 'All'}\nSyncState {self.folder}/state/\n"
        )
        return run([self.path, "-q", "-c", settings, "all"], surroundings=line.surroundings)


@dataclass(frozen=True, slots=True)
class Offlineimap:
    """offlineimap between a Maildir of its own and an account."""

    path: Path
    folder: Path
    account: Account

    def run(self, line: Line) -> Run:
        """One run over all folders."""
        host, port = line.reach(self.account.server.imaps_port)
        self.folder.mkdir(exist_ok=True)
        # Like mbsync it finds no address in a certificate, but takes one that it was told.
        known = _fingerprint(self.account.server.certificates.certificate)
        settings = self.folder / "offlineimaprc"
        settings.write_text(
            f"[general]\nmetadata = {self.folder}/state\naccounts = a\n\n"
            "[Account a]\nlocalrepository = near\nremoterepository = far\n\n"
            f"[Repository near]\ntype = Maildir\nlocalfolders = {self.folder}/mail\n\n"
            f"[Repository far]\ntype = IMAP\nremotehost = {host}\nremoteport = {port}\nremoteuser = {self.account.user}\n"
            f"remotepass = {self.account.password}\nssl = yes\ncert_fingerprint = {known}\n"
        )
        return run([self.path, "-o", "-u", "quiet", "-c", settings], surroundings=line.surroundings)


@dataclass(frozen=True, slots=True)
class Imapsync:
    """imapsync from an account that is beside it (without TLS, at no distance) to the one behind the line.

    `near` stands for the mail on this PC: imapsync reads IMAP only.
    """

    path: Path
    folder: Path
    near: Account
    account: Account
    beside: Callable[[], AbstractContextManager[object]] = nullcontext

    def run(self, line: Line, *options: str) -> Run:
        """One run; `--dry` only says what it would do."""
        host, port = line.reach(self.account.server.imaps_port)
        self.folder.mkdir(exist_ok=True)
        secrets = []
        for number, each in enumerate((self.near, self.account), 1):
            secrets.append(self.folder / f"password{number}")
            secrets[-1].write_text(each.password + "\n")
        words: list[str | Path] = [
            self.path, "--host1", "127.0.0.1", "--port1", str(self.near.server.imap_port), "--user1", self.near.user,
            "--passfile1", secrets[0], "--nossl1", "--notls1", "--host2", host, "--port2", str(port), "--user2",
            self.account.user, "--passfile2", secrets[1], "--ssl2", "--nolog", "--noreleasecheck",
            "--nomodulesversion", "--nofoldersizes", "--nofoldersizesatend", "--tmpdir", self.folder, "--pidfile",
            self.folder / "pid", "--sslargs2", f"SSL_ca_file={self.account.server.ca_file}", *options,
        ]  # fmt: skip
        return run(words, folder=self.folder, surroundings=line.surroundings)


def _fingerprint(certificate: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
