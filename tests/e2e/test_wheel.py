"""The wheel alone is the whole program: it installs into an empty venv and runs there, themes and locale inside."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, home: Path, language: str = "en") -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG", "XDG_"))}
    environment = {**kept, "HOME": str(home), "LANGUAGE": language, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a venv that has nothing but the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT, home=folder)
    (wheel,) = folder.glob("hikkoshi-*.whl")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    run(programs / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel, home=folder)
    return programs


def test_it_runs_and_says_its_version(programs: Path, tmp_path: Path) -> None:
    assert run(programs / "hikkoshi", "--version", home=tmp_path) == "hikkoshi, version 0.1.0\n"


def test_the_demo_compares_without_anything_beside_it(programs: Path, tmp_path: Path) -> None:
    assert "would be uploaded" in run(programs / "python", "-m", "hikkoshi.demo", "--check", home=tmp_path)


def test_it_speaks_japanese(programs: Path, tmp_path: Path) -> None:
    assert "アップロード" in run(programs / "hikkoshi", "--help", home=tmp_path, language="ja")


def test_the_themes_are_inside(programs: Path, tmp_path: Path) -> None:
    script = (
        "from hikkoshi.app.themes import load_themes, theme_folders as f; print([t.name for t in load_themes(f())[0]])"
    )

    assert "hikkoshi-dark" in run(programs / "python", "-c", script, home=tmp_path)
