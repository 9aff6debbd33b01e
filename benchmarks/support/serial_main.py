"""`python serial_main.py HOST PORT USER PASSWORD CA-FILE MAILDIR`: every mail of a Maildir, one APPEND after another.

What any script does that uses imaplib: each mail waits for its go-ahead and for its answer.
"""

import imaplib
import re
import ssl
import sys
from pathlib import Path

_SENT = re.compile(r"^(\d+)\.")


def main() -> None:
    """Send them."""
    host, port, user, password, ca_file, maildir = sys.argv[1:]
    with imaplib.IMAP4_SSL(host, int(port), ssl_context=ssl.create_default_context(cafile=ca_file)) as imap:
        imap.login(user, password)
        for path in sorted((Path(maildir) / "cur").iterdir()):
            found = _SENT.match(path.name)
            flags = "(\\Seen)" if path.name.endswith("S") else "()"
            when = imaplib.Time2Internaldate(int(found[1]) if found else 0)
            answer, _data = imap.append("INBOX", flags, when, path.read_bytes())
            assert answer == "OK", _data


if __name__ == "__main__":
    main()
