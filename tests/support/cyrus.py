"""A private Cyrus IMAP server, the strict one: 8-bit header bytes become X, NUL and bare line ends are refused.

    def test_something(cyrus: Cyrus) -> None:
        user = cyrus.make_user()
        with IMAPClient(cyrus.host, cyrus.imap_port, ssl=False) as client: client.login(user, cyrus.password)

Measured on Cyrus 3.6 (Debian 12). It says LOGINDISABLED behind a login, and writes special uses in small
letters (`\\\\sent`).
"""

import subprocess

from support import tools
from support.private_server import PrivateServer, free_ports, group_name, identity, mail_user, own_files, user_name

SPECIAL_FOLDERS = ("Sent", "Drafts", "Trash", "Junk", "Archive")

_FOLDERS = ("conf/db", "conf/proc", "conf/lock", "conf/log", "conf/msg", "conf/socket", "spool", "run")


class Cyrus(PrivateServer):
    """A running server. Each user has INBOX, Sent, Drafts, Trash, Junk and Archive with their special uses.

    `storage`: quota of each user in KiB; `messages`: how many, None for no such limit.
    """

    kind = "Cyrus"
    logs = ("out", "log")

    def __init__(self, storage: int = 1024 * 1024, messages: int | None = None) -> None:
        self._tool = tools.cyrus()
        self._storage, self._messages = storage, messages
        super().__init__()

    def _prepare(self) -> None:
        for name in _FOLDERS:
            (self.folder / name).mkdir(parents=True)
        uid, gid = mail_user()
        self._identity = identity(uid, gid)
        (self.imap_port,) = free_ports(self.host, 1)
        conf = self.folder / "imapd.conf"
        conf.write_text(self._imapd_conf(user_name(uid), group_name(gid)))
        assert self._tool.prefix
        programs = self._tool.prefix / "usr/lib/cyrus/bin"
        (self.folder / "cyrus.conf").write_text(
            f'START {{\n  recover cmd="{programs}/ctl_cyrusdb -C {conf} -r"\n}}\n'
            f'SERVICES {{\n  imap cmd="{programs}/imapd -C {conf}" listen="{self.host}:{self.imap_port}" prefork=2\n}}\n'
            f'DAEMON {{\n  idled cmd="{programs}/idled -C {conf}"\n}}\nEVENTS {{\n}}\n'
        )
        self._environment = self._tool.environment() | {
            "SASL_PATH": ":".join(str(path) for path in self._tool.prefix.glob("usr/lib/*/sasl2")),
            "CYRUS_USER": user_name(uid),
        }
        own_files(self.folder, uid, gid)

    def _imapd_conf(self, user: str, group: str) -> str:
        roles = "".join(f"xlist-{name.lower()}: {name}\n" for name in SPECIAL_FOLDERS)
        return f"""\
configdirectory: {self.folder}/conf
partition-default: {self.folder}/spool
defaultpartition: default
cyrus_user: {user}
cyrus_group: {group}
autocreate_quota: {self._storage}
autocreate_quota_messages: {self._messages or -1}
autocreate_post: yes
autocreate_inbox_folders: {" | ".join(SPECIAL_FOLDERS)}
autocreate_subscribe_folders: {" | ".join(SPECIAL_FOLDERS)}
{roles}specialusealways: 1
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {self.folder}/conf/sasldb2
sasl_mech_list: PLAIN LOGIN
master_pid_file: {self.folder}/run/master.pid
idlesocket: {self.folder}/conf/socket/idle
maxmessagesize: 52428800
servername: localhost
defaultdomain: localhost
"""

    def _command(self) -> tuple[list[str], dict[str, str], dict[str, object]]:
        folder = self.folder
        command = [
            str(self._tool.path), "-C", f"{folder}/imapd.conf", "-M", f"{folder}/cyrus.conf",
            "-p", f"{folder}/run/master.pid", "-D", "-L", f"{folder}/log",
        ]  # fmt: skip
        return command, self._environment, self._identity

    def make_user(self, name: str = "user") -> str:
        """A user name that nobody has used; Cyrus wants each one in its password file before the first login."""
        user = super().make_user(name)
        assert self._tool.prefix
        passwords = f"{self.folder}/conf/sasldb2"
        subprocess.run(
            [self._tool.prefix / "usr/sbin/saslpasswd2", "-p", "-c", "-f", passwords, "-u", "localhost", user],
            input=f"{self.password}\n", text=True, env=self._environment, check=True, capture_output=True,
            **self._identity,  # type: ignore[call-overload]
        )  # fmt: skip
        return user
