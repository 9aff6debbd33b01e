import os
import stat
from pathlib import Path

import pytest

from hikkoshi.accounts.config import AccountConfig, Config, load_config, save_config
from hikkoshi.errors import ConfigError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "hikkoshi" / "config.toml"
    config = Config(
        theme="夜", accounts={"taro@example.jp@imap.example.jp": AccountConfig(mapping={"見積/a.b": "Sent"})}
    )
    save_config(path, config)
    assert load_config(path) == config


def test_only_the_user_can_read_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "hikkoshi" / "config.toml"
    save_config(path, Config())
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    path.chmod(0o644)
    save_config(path, Config(theme="x"))
    assert mode(path) == 0o600
    assert os.listdir(path.parent) == ["config.toml"]


def test_a_file_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    assert load_config(tmp_path / "config.toml") == Config()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'thema = "x"', "thema"),
        (b"theme = 5", "theme"),
        (b'[accounts."a@b"]\npassword = "x"', "password"),
        (b"theme = \nx = 1", "line 1"),
        (b"\xff\xfe", "codec"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named_with_what_is_wrong(
    content: bytes, named: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(path) in str(error.value)
    assert named in str(error.value)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_a_config_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    save_config(path, Config(theme="old"))

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError, match="No space left"):
        save_config(path, Config(theme="new"))
    assert load_config(path) == Config(theme="old")
    assert os.listdir(tmp_path) == ["config.toml"]
