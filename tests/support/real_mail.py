"""Real mail from the folder that CORPORA names."""

import os
import re
from pathlib import Path

from hikkoshi.mail.headers import header_block


def mails() -> list[tuple[Path, bytes]]:
    """Files that begin with a header field, as a mail does; a From_ line in front of it is taken off."""
    found = []
    for path in sorted(Path(os.environ["CORPORA"]).rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 20_000_000:
            content = re.sub(rb"\AFrom .*\n", b"", path.read_bytes())
            block = header_block(content)
            if content and b":" in block.split(b"\n", 1)[0] and not content.startswith(b"From "):
                found.append((path, content))
    return found
