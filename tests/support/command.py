"""The installed `hikkoshi`, run as a user would, with a home of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.dovecot import Dovecot

PROGRAM = Path(sys.executable).with_name("hikkoshi")


def environment(home: Path) -> dict[str, str]:
    """The environment of a user whose files are all below `home`, in English, without a keyring."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "LC_", "LANG"))}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


class Hikkoshi:
    """`hikkoshi` for one store and one account."""

    def __init__(
        self, home: Path, local: Path, server: Dovecot, user: str, options: Sequence[str] = (), port: int | None = None
    ) -> None:
        """`port`: of a proxy in front of the server's TLS port."""
        self.environment = environment(home)
        self.arguments = [
            str(PROGRAM), "--local", str(local), "--server", f"imaps://{user}@{server.host}:{port or server.imaps_port}",
            "--ca-file", str(server.ca_file), "--password-command", f"echo {server.password}", *options,
        ]  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [*self.arguments, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
