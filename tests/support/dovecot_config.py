"""The configuration file of a private Dovecot, from a few settings: in the language of 2.3 and in that of 2.4."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.certificates import Certificates
from support.private_server import PASSWORD

SPECIAL_FOLDERS = (
    ("Sent", "\\Sent"),
    ("Drafts", "\\Drafts"),
    ("Trash", "\\Trash"),
    ("Junk", "\\Junk"),
    ("Archive", "\\Archive"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a test may want of its server. Sizes as Dovecot writes them: '10k', '1M', '1G'.

    `quota_storage` and `quota_messages` None: no such limit; both None: a QUOTA server without limits;
    `quota` False: no QUOTA at all. `capability` replaces the whole capability line after login.
    `folders`: (name, special-use attribute or '') of the folders every user has besides INBOX.
    `plaintext` False: LOGINDISABLED without TLS, which Dovecot grants only when `listen` is not 127.0.0.1
    (the client's address): use '127.0.0.2', for which the certificate is not valid either.
    `compress`: COMPRESS=DEFLATE, which 2.4 has anyway. `driver`: how mail is stored, "maildir" or "sdbox".
    """

    quota: bool = True
    quota_storage: str | None = "1G"
    quota_messages: int | None = None
    max_mail: str | None = None
    prefix: str = ""
    separator: str = "/"
    capability: str | None = None
    folders: tuple[tuple[str, str], ...] = SPECIAL_FOLDERS
    max_connections: int = 50
    listen: str = "127.0.0.1"
    plaintext: bool = True
    compress: bool = False
    driver: str = "maildir"
    second_storage: str | None = None
    work_storage: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where one instance runs: its folder, its user, its ports, and the lines that unpacked packages need."""

    folder: Path
    user: str
    group: str
    uid: int
    gid: int
    imap_port: int
    imaps_port: int
    pop3_port: int
    pop3s_port: int
    relocation: str


def config_text(settings: Settings, place: Place, certificates: Certificates, *, modern: bool) -> str:
    """The text of dovecot.conf; `modern`: for 2.4."""
    language = _MODERN if modern else _CLASSIC
    return f"""\
{language.heading}
base_dir = {place.folder}/run
state_dir = {place.folder}/state
log_path = {place.folder}/dovecot.log
{place.relocation}
instance_name = hikkoshi{place.imap_port}
listen = {settings.listen}
protocols = imap pop3
default_internal_user = {place.user}
default_internal_group = {place.group}
default_login_user = {place.user}
first_valid_uid = {place.uid}
first_valid_gid = 0
auth_mechanisms = plain login
auth_username_chars =
auth_failure_delay = 0
ssl = {"yes" if settings.plaintext else "required"}
mail_max_userip_connections = {settings.max_connections}
mail_max_lock_timeout = 3 secs
mail_fsync = never
# With its own default, 256 MB, it ends in the middle of listing a million mails.
default_vsz_limit = 4G
mail_plugins = {"quota" if settings.quota else ""}
{language.account(settings, place, certificates)}
{_namespace(settings)}
{language.quota(settings) if settings.quota else ""}
protocol imap {{
  mail_plugins = {"quota imap_quota" if settings.quota else ""} {"imap_zlib" if settings.compress and not modern else ""}
  {f"imap_capability = {settings.capability}" if settings.capability else ""}
}}
{_services(place)}
"""


def _imap_plugins(settings: Settings, *, modern: bool) -> str:
    """2.4 has COMPRESS built in."""
    plugins = ["quota", "imap_quota"] if settings.quota else []
    return " ".join([*plugins, "imap_zlib"] if settings.compress and not modern else plugins)


@dataclass(frozen=True, slots=True)
class _Language:
    """What differs between 2.3 and 2.4."""

    heading: str
    account: Callable[[Settings, Place, Certificates], str]
    quota: Callable[[Settings], str]


def _account_classic(settings: Settings, place: Place, certificates: Certificates) -> str:
    return f"""\
disable_plaintext_auth = {"no" if settings.plaintext else "yes"}
ssl_cert = <{certificates.certificate}
ssl_key = <{certificates.key}
mail_location = {settings.driver}:~/Maildir
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={place.uid} gid={place.gid} home={place.folder}/mail/%u
}}"""


def _account_modern(settings: Settings, place: Place, certificates: Certificates) -> str:
    return f"""\
auth_allow_cleartext = {"yes" if settings.plaintext else "no"}
ssl_server_cert_file = {certificates.certificate}
ssl_server_key_file = {certificates.key}
mail_driver = {settings.driver}
mail_path = ~/Maildir
passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {place.uid}
    gid = {place.gid}
    home = {place.folder}/mail/%{{user}}
  }}
}}"""


def _namespace(settings: Settings) -> str:
    folders = "\n".join(
        f'  mailbox "{name}" {{\n    auto = subscribe\n    {f"special_use = {use}" if use else ""}\n  }}'
        for name, use in settings.folders
    )
    prefix = f"prefix = {settings.prefix}" if settings.prefix else ""
    text = f"namespace inbox {{\n  inbox = yes\n  {prefix}\n  separator = {settings.separator}\n{folders}\n}}"
    if settings.work_storage:
        work = f"prefix = Work{settings.separator}\n  separator = {settings.separator}\n  location = maildir:~/Work"
        text += f"\nnamespace work {{\n  {work}\n  subscriptions = no\n  list = yes\n}}"
    return text


def _work_quota(settings: Settings) -> str:
    if not settings.work_storage:
        return ""
    name = "quota3" if settings.second_storage else "quota2"  # Dovecot stops at a number that is missing
    root = f"count:Work quota:ns=Work{settings.separator}"
    return f"{name} = {root}\n  {name}_rule = *:storage={settings.work_storage}"


# The grace is 0: Dovecot would let the last mail overshoot by 10 %.
def _quota_classic(settings: Settings) -> str:
    limits = [f"storage={settings.quota_storage}"] if settings.quota_storage else []
    limits += [f"messages={settings.quota_messages}"] if settings.quota_messages else []
    return f"""\
plugin {{
  quota = count:User quota{":ns=" if settings.work_storage else ""}
  {f"quota2 = count:Second quota{chr(10)}  quota2_rule = *:storage={settings.second_storage}" if settings.second_storage else ""}
  {_work_quota(settings)}
  quota_vsizes = yes
  quota_grace = 0%%
  {f"quota_rule = *:{':'.join(limits)}" if limits else ""}
  {f"quota_max_mail_size = {settings.max_mail}" if settings.max_mail else ""}
}}"""


def _quota_modern(settings: Settings) -> str:
    return f"""\
quota "User quota" {{
  driver = count
  {f"storage_size = {settings.quota_storage}" if settings.quota_storage else ""}
  {f"message_count = {settings.quota_messages}" if settings.quota_messages else ""}
}}
{_second_modern(settings.second_storage) if settings.second_storage else ""}
quota_storage_grace = 0
{f"quota_mail_size = {settings.max_mail}" if settings.max_mail else ""}"""


def _second_modern(storage: str) -> str:
    return f'quota "Second quota" {{\n  driver = count\n  storage_size = {storage}\n}}'


_CLASSIC = _Language("", _account_classic, _quota_classic)
_MODERN = _Language("dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0", _account_modern, _quota_modern)


def _services(place: Place) -> str:
    listeners = "\n".join(
        f"service {service}-login {{\n  chroot =\n"
        f"  inet_listener {service} {{\n    port = {port}\n  }}\n"
        f"  inet_listener {service}s {{\n    port = {tls_port}\n    ssl = yes\n  }}\n}}"
        for service, port, tls_port in (
            ("imap", place.imap_port, place.imaps_port),
            ("pop3", place.pop3_port, place.pop3s_port),
        )
    )
    # Without mode 0 here each failed login costs 2, 4, 8 … seconds.
    return f"""\
{listeners}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  user = {place.user}
}}
service auth-worker {{
  user = {place.user}
}}
"""
