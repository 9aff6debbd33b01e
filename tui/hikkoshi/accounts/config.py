"""The config file: what the program remembers for the user, never a secret. One TOML file, mode 0600."""

import os
from pathlib import Path

import msgspec
import platformdirs

from hikkoshi.errors import ConfigError
from hikkoshi.i18n import _


class AccountConfig(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is remembered of one account."""

    mapping: dict[str, str] = {}
    """Local folder name -> server folder name, as the user corrected it."""


class Config(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The whole file."""

    theme: str = ""
    """Name of the colour theme; empty: the default one."""

    accounts: dict[str, AccountConfig] = {}
    """By `user@host`."""


def config_path() -> Path:
    """Where the config file is."""
    return platformdirs.user_config_path("hikkoshi") / "config.toml"


def load_config(path: Path) -> Config:
    """Read the config; a file that is not there is an empty one. Raises `ConfigError` naming what is wrong."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    # 2 ms to load, and most people have no config.
    import tomllib

    try:
        return msgspec.convert(tomllib.loads(text), Config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(
        _("The config file {path} cannot be read: {reason}. Mend it or move it away.").format(path=path, reason=error)
    )


def save_config(path: Path, config: Config) -> None:
    """Write the config in one step, so that a full disk leaves the old one. Raises `ConfigError`."""
    # 4 ms to load, and a check saves nothing.
    import tempfile

    import tomli_w

    content = tomli_w.dumps(msgspec.to_builtins(config)).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes it 0600 from the start.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            _("The config file {path} cannot be written ({reason}). What you changed holds until you leave.").format(
                path=path, reason=error
            )
        ) from error
