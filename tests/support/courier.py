"""A private Courier IMAP server, the one with `INBOX.` before every name and next to no extensions.

    def test_something(courier: Courier) -> None:
        user = courier.make_user()
        with IMAPClient(courier.host, courier.imap_port, ssl=False) as client: client.login(user, courier.password)

Measured on Courier 5.0 (Debian 12). The paths /etc/courier and /run/courier are built into its programs, so
it runs in a mount namespace where they are folders of ours. It has no special uses, and answers
`BODY[HEADER.FIELDS ("DATE" …)]` with quoted names.
"""

import os
import subprocess
from pathlib import Path

from support import tools
from support.private_server import PrivateServer, free_ports, mail_user, own_files

SPECIAL_FOLDERS = ("Sent", "Drafts", "Trash")

_USERS = 400  # names made beforehand: a database that was there at the start needs no running server's leave

# /etc and /run become small file systems of this namespace; all that was in /etc is there by links.
_SETUP = r"""
set -e
cd "$FOLDER"
mount --make-rprivate /
mount --rbind /etc "$FOLDER/host-etc"
mount -t tmpfs none /etc
for each in "$FOLDER"/host-etc/* "$FOLDER"/host-etc/.[!.]*; do
  [ "${each##*/}" = courier ] || ln -s "$each" "/etc/${each##*/}"
done
ln -s "$FOLDER/courier" /etc/courier
mount -t tmpfs none /run
mkdir -p /run/courier
ln -s "$FOLDER/authdaemon" /run/courier/authdaemon
"$PREFIX/usr/lib/courier/courier-authlib/authdaemond" &
until [ -S "$FOLDER/authdaemon/socket" ]; do sleep 0.02; done
set -a
. /etc/courier/imapd
exec $AS_USER "$PREFIX/usr/sbin/couriertcpd" -address="$LISTEN" -maxprocs=100 -maxperip=100 -nodnslookup -noidentlookup \
  "$IMAP_PORT" "$PREFIX/usr/lib/courier/courier/imaplogin" "$PREFIX/usr/bin/imapd" Maildir
"""


class Courier(PrivateServer):
    """A running server. Each user has INBOX, INBOX.Sent, INBOX.Drafts and INBOX.Trash.

    `storage`: quota of each user in bytes; `messages`: how many.
    """

    kind = "Courier"
    prefix = "INBOX."
    delimiter = "."

    def __init__(self, storage: int = 1024**3, messages: int = 100_000) -> None:
        self._tool = tools.courier()
        self._storage, self._messages = storage, messages
        super().__init__()

    def _prepare(self) -> None:
        assert self._tool.prefix
        self._prefix = self._tool.prefix
        for name in ("host-etc", "authdaemon", "courier", "mail"):
            (self.folder / name).mkdir()
        (self.imap_port,) = free_ports(self.host, 1)
        self._uid, self._gid = mail_user()
        self._names: list[str] = []
        self._write_configuration()
        self._write_users()
        if os.geteuid() == 0:
            self.folder.chmod(0o755)

    def _write_configuration(self) -> None:
        courier = self.folder / "courier"
        lines = (self._prefix / "etc/courier/imapd").read_text().splitlines()
        lines += ["IMAP_EMPTYTRASH="]  # the trash is not emptied behind a test's back
        (courier / "imapd").write_text("\n".join(lines) + "\n")
        daemon = (self._prefix / "etc/courier/authdaemonrc").read_text()
        (courier / "authdaemonrc").write_text(
            daemon + '\nauthmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=3\n'
        )

    def _write_users(self) -> None:
        """Courier's database of users: one file with the facts, one with the passwords."""
        hashed = _run("openssl", "passwd", "-1", self.password).strip()
        home = self.folder / "mail"
        for _ in range(_USERS):
            self._names.append(super().make_user())
        facts = "".join(
            f"{name}\tuid={self._uid}|gid={self._gid}|home={home}/{name}|mail={home}/{name}/Maildir|_=\n"
            for name in self._names
        )
        self._write_database("userdb.dat", facts)
        self._write_database("userdbshadow.dat", "".join(f"{name}\tsystempw={hashed}\n" for name in self._names))

    def _write_database(self, name: str, lines: str) -> None:
        path = self.folder / "courier" / name
        program = self._prefix / "usr/lib/courier/courier-authlib/makedatprog"
        _run(program, "-", path.with_suffix(".tmp"), path, stdin=lines + ".\n", env=self._tool.environment())

    def _command(self) -> tuple[list[str], dict[str, str], dict[str, object]]:
        environment = self._tool.environment() | {
            "FOLDER": str(self.folder),
            "PREFIX": str(self._prefix),
            "LISTEN": self.host,
            "IMAP_PORT": str(self.imap_port),
            # In a user's own namespace this is root, whom Courier would give groups; that is not allowed there.
            "AS_USER": "" if os.geteuid() == 0 else f"unshare --map-user={self._uid} --map-group={self._gid} --",
            # Without its file monitor each login waits for it a second and is told of that in an ALERT.
            "GAMIN_DEBUG_SERVER": str(self._prefix / "usr/libexec/gam_server"),
            "GAM_CLIENT_ID": self.folder.name,
        }
        return [*tools.namespace(), "/bin/sh", "-c", _SETUP], environment, {}

    def make_user(self, name: str = "") -> str:
        """A user name that nobody has used, whatever `name` says."""
        user = self._names.pop(0)
        maildir = self.mail_dir(user)
        maildir.parent.mkdir()
        make = self._prefix / "usr/bin/maildirmake.courier"
        _run(make, maildir, env=self._tool.environment())
        _run(make, "-q", f"{self._storage}S,{self._messages}C", maildir, env=self._tool.environment())
        for folder in SPECIAL_FOLDERS:
            _run(make, "-f", folder, maildir, env=self._tool.environment())
        (maildir / "courierimapsubscribed").write_text("".join(f"INBOX.{folder}\n" for folder in SPECIAL_FOLDERS))
        own_files(maildir.parent, self._uid, self._gid)
        return user

    def mail_dir(self, user: str) -> Path:
        """The Maildir++ of `user`: INBOX in cur/ and new/, a folder 'INBOX.a.b' in '.a.b/'."""
        return self.folder / "mail" / user / "Maildir"


def _run(*command: str | Path, stdin: str = "", env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, input=stdin, env=env, check=True, capture_output=True, text=True)
    return done.stdout
