"""What importing loads, each asked of a fresh interpreter."""

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import hikkoshi

ROOT = Path(hikkoshi.__file__).parent
MODULES = sorted(module.name for module in pkgutil.walk_packages([str(ROOT)], "hikkoshi."))
BELOW_APP = [name for name in MODULES if name.split(".")[1] not in ("app", "demo")]

# As on Windows: no fcntl, pwd, grp, termios, resource or syslog, and of the signals only those it has.
WINDOWS = """
import builtins, signal, sys
MISSING = {"fcntl", "pwd", "grp", "termios", "tty", "pty", "resource", "syslog", "curses", "readline"}
for name in ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTSTP", "SIGCONT", "SIGWINCH", "SIGCHLD", "SIGKILL"):
    delattr(signal, name)
import os
for name in ("fork", "getuid", "geteuid", "getgid", "chown", "O_NOFOLLOW", "O_DIRECTORY", "mkfifo", "setsid", "killpg"):
    if hasattr(os, name):
        delattr(os, name)
real = builtins.__import__
def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if level == 0 and name.partition(".")[0] in MISSING and importer.startswith("hikkoshi"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = guarded
"""


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints; it fails where the code does."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(code: str, **environment: str) -> set[str]:
    """The top packages that are loaded after `code`."""
    printed = python(code + "\nimport json, sys; print(json.dumps(sorted(sys.modules)))", **environment)
    return {name.partition(".")[0] for name in json.loads(printed.splitlines()[-1])}


def test_the_command_line_loads_no_screen_and_no_keyring() -> None:
    assert not loaded_by("import hikkoshi.cli.main") & {"textual", "rich", "keyring", "numpy"}


def test_a_check_up_to_the_connection_loads_no_screen_and_no_keyring(tmp_path: Path) -> None:
    (tmp_path / "Inbox").write_bytes(b"From a@b Sat Mar  9 12:30:05 2024\nSubject: x\n\nbody\n")
    code = f"""
import hikkoshi.cli.main as entry
try:
    both = ["--local", {str(tmp_path / "Inbox")!r}, "--server", "imap://u@127.0.0.1:9"]
    entry.main(["check", *both, "--password-command", "echo x"])
except SystemExit as end:
    assert end.code == 2, end.code
import sys
assert "hikkoshi.server.bulk" in sys.modules
"""
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    assert not loaded_by(code, XDG_CACHE_HOME=str(tmp_path), **home) & {"textual", "rich", "keyring", "imapclient"}


def test_nothing_below_the_screen_loads_textual() -> None:
    code = "import importlib\nfor name in " + repr(BELOW_APP) + ": importlib.import_module(name)"
    assert "hikkoshi.cli.check" in BELOW_APP
    assert not loaded_by(code) & {"textual", "rich"}


def test_mail_does_no_input_or_output_of_its_own() -> None:
    rooms = [name for name in MODULES if name.startswith("hikkoshi.mail")]
    code = "import importlib\nfor name in " + repr(rooms) + ": importlib.import_module(name)"
    assert not loaded_by(code) & {"socket", "ssl", "sqlite3", "subprocess", "imapclient"}


def test_every_module_can_be_imported_where_posix_is_missing() -> None:
    # Once as it is, for the libraries: what they do on POSIX is their own.
    code = (
        f"import importlib, sys\nNAMES = {MODULES!r}\n"
        "for name in NAMES: importlib.import_module(name)\n"
        "for name in [name for name in sys.modules if name.startswith('hikkoshi')]: del sys.modules[name]\n"
        + WINDOWS
        + "for name in NAMES: importlib.import_module(name)\n"
    )
    python(code)


@pytest.mark.parametrize("missing", ["fcntl", "pwd"])
def test_the_guard_of_this_test_bites(missing: str) -> None:
    code = WINDOWS + f"exec('import {missing}', {{'__name__': 'hikkoshi.local.x'}})"
    with pytest.raises(AssertionError, match=f"No module named '{missing}'"):
        python(code)
