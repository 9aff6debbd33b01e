"""A private Dovecot: its own folder, ports and certificate; nothing of it is left when it is closed.

    def test_something(dovecot: Dovecot) -> None:
        user = dovecot.make_user()
        with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client: client.login(user, dovecot.password)

The fixtures `dovecot` (one for the session, 1 GiB of quota) and `dovecot_with` (special settings) stand in
tests/conftest.py.
"""

import atexit
import shutil
import subprocess
import tempfile
from pathlib import Path

from support import tools
from support.certificates import Certificates, make_certificates
from support.dovecot_config import Place, Settings, config_text
from support.private_server import PrivateServer, free_ports, group_name, identity, mail_user, own_files, user_name

_certificates: list[Certificates] = []


class Dovecot(PrivateServer):
    """A running server. Every user name logs in with `password` and owns a mailbox of its own.

    `host`: '127.0.0.1' unless the settings say otherwise; the certificate is for it and for 'localhost'.
    `imap_port` offers STARTTLS and plain logins, `imaps_port` TLS at once; the same for POP3.
    `ca_file`: the authority to trust.
    """

    kind = "Dovecot"
    logs = ("out", "dovecot.log")

    def __init__(self, settings: Settings = Settings()) -> None:  # noqa: B008 - frozen
        self._tool = tools.dovecot()
        self.settings = settings
        self.prefix, self.delimiter = settings.prefix, settings.separator
        super().__init__(settings.listen)

    def _prepare(self) -> None:
        if not _certificates:
            folder = Path(tempfile.mkdtemp(prefix="hikkoshi-ca-"))
            atexit.register(shutil.rmtree, folder)
            _certificates.append(make_certificates(folder))
        self.certificates = _certificates[0]
        self.ca_file = self.certificates.ca
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
        uid, gid = mail_user()
        self._identity = identity(uid, gid)
        self.imap_port, self.imaps_port, self.pop3_port, self.pop3s_port = free_ports(self.host, 4)
        modern = self._tool.version.startswith("2.4.")
        place = Place(
            self.folder, user_name(uid), group_name(gid), uid, gid,
            self.imap_port, self.imaps_port, self.pop3_port, self.pop3s_port, self._relocation(modern=modern),
        )  # fmt: skip
        self._tls_copy(uid, gid)
        self.config = self.folder / "dovecot.conf"
        text = config_text(self.settings, place, self._own_certificates, modern=modern)
        self.config.write_text(text)
        own_files(self.folder, uid, gid)

    def _tls_copy(self, uid: int, gid: int) -> None:
        """The certificates where the server's user can read them."""
        own = [shutil.copy(path, self.folder) for path in (self.certificates.certificate, self.certificates.key)]
        self._own_certificates = Certificates(self.ca_file, *map(Path, own))

    def _relocation(self, *, modern: bool) -> str:
        if self._tool.prefix is None:
            return ""
        path = f"LD_LIBRARY_PATH={self._tool.libraries}"
        return f"import_environment {{\n  {path.replace('=', ' = ')}\n}}" if modern else f"import_environment = {path}"

    def _command(self) -> tuple[list[str], dict[str, str], dict[str, object]]:
        return [str(self._tool.path), "-F", "-c", str(self.config)], self._tool.environment(), self._identity

    def doveadm(self, *arguments: str) -> bytes:
        """What Dovecot's own administration tool says, run on this server's files."""
        tool = self._tool.prefix / "usr/bin/doveadm" if self._tool.prefix else "doveadm"
        command = [tool, "-c", self.config, *arguments]
        return subprocess.run(command, env=self._tool.environment(), check=True, capture_output=True).stdout

    def mail_dir(self, user: str) -> Path:
        """The Maildir++ of `user`: INBOX in cur/ and new/, a folder 'a/b' in '.a.b/'. Made at the first login."""
        return self.folder / "mail" / user / "Maildir"
