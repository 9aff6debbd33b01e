"""mbsync, a synchroniser that is not ours, pulls a whole account into a Maildir: what somebody else finds on a server."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from imapclient.imap_utf7 import decode

from support import tools
from support.dovecot import Dovecot
from support.letters_at_risk import There

_LETTERS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "D": "\\Draft", "T": "\\Deleted", "P": "$Forwarded"}
_OWN_HEADER = re.compile(rb"^X-TUID: \S{12}\n", re.MULTILINE)
"""mbsync 1.4 writes one into each mail that it puts into a Maildir, to find it again after a crash."""
KNOWN = frozenset(_LETTERS.values())
"""The flags that a Maildir of mbsync's has; it leaves keywords behind."""


def pulled(server: Dovecot, user: str, folder: Path) -> Counter[There]:
    """All mail of an account, as mbsync has put it into a Maildir below `folder`."""
    tool = tools.mbsync()
    (folder / "state").mkdir(parents=True)
    settings = folder / "mbsyncrc"
    settings.write_text(
        f"IMAPAccount account\nHost {server.host}\nPort {server.imaps_port}\nUser {user}\n"
        f'PassCmd "echo {server.password}"\nSSLType IMAPS\n'
        # The server's own certificate: mbsync 1.4 takes no authority's word for an address.
        f"CertificateFile {server.certificates.certificate}\nTimeout 60\n\n"
        "IMAPStore far\nAccount account\n\n"
        f"MaildirStore near\nInbox {folder}/mail\nSubFolders Maildir++\n\n"
        "Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Near\nSync Pull\nCopyArrivalDate yes\n"
        f"SyncState {folder}/state/\n"
    )
    done = subprocess.run(
        [tool.path, "-c", settings, "all"],
        env=tool.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return Counter(_mails(folder / "mail"))


def _mails(maildir: Path) -> Iterator[There]:
    for path in maildir.glob("**/*"):
        if path.parent.name not in ("cur", "new") or not path.is_file():
            continue
        directory = path.parent.parent
        folder = "INBOX" if directory == maildir else decode(directory.name[1:].encode())
        flags = frozenset(_LETTERS[letter] for letter in path.name.partition(":2,")[2] if letter in _LETTERS)
        content = _OWN_HEADER.sub(b"", path.read_bytes(), count=1).replace(b"\n", b"\r\n")
        yield There(folder, content, int(path.stat().st_mtime), flags)
