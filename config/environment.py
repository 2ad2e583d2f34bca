"""Where a setting comes from: the environment, a secret file, the running system's file, the default.

`NAME` wins over `NAME_FILE` (a path to a file that holds the value), which wins over
`$RINGBACK_HOME/run/env` (written by `make up`), which wins over the default.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent


class SettingInvalid(Exception):
    """A setting cannot be read; the message says which, and what it must look like."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting by environment: its name, what it means, its default (a string), whether it is secret."""

    name: str
    meaning: str
    default: str = ""
    secret: bool = False


@dataclass
class Register:
    """Every setting that was asked for, in order: what `./manage.py settings` lists."""

    known: dict[str, Setting] = field(default_factory=dict)

    def text(self, name: str, default: str, meaning: str, *, secret: bool = False) -> str:
        self.known[name] = Setting(name=name, meaning=meaning, default=default, secret=secret)
        value, _ = find(name)
        return default if value is None else value

    def integer(self, name: str, default: int, meaning: str, *, at_least: int = 0) -> int:
        value = self.text(name, str(default), meaning)
        if not value.isascii() or not value.lstrip("-").isdigit() or int(value) < at_least:
            raise SettingInvalid(f"{name} must be a whole number of at least {at_least}, not {value!r}.")
        return int(value)

    def number(self, name: str, default: float, meaning: str, *, at_least: float = 0.0) -> float:
        value = self.text(name, f"{default:g}", meaning)
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not number >= at_least:
            raise SettingInvalid(f"{name} must be a number of at least {at_least:g}, not {value!r}.")
        return number

    def flag(self, name: str, default: bool, meaning: str) -> bool:
        value = self.text(name, "1" if default else "0", meaning).lower()
        if value not in {"0", "1", "true", "false", "yes", "no", ""}:
            raise SettingInvalid(f"{name} must be 1 or 0, not {value!r}.")
        return value in {"1", "true", "yes"}


def home() -> Path:
    """The data directory of this system: `RINGBACK_HOME`, by default `.ringback` in the repository."""
    return Path(os.environ.get("RINGBACK_HOME") or REPOSITORY / ".ringback")


def find(name: str) -> tuple[str | None, str]:
    """The value of a setting and where it was found: `environment`, `file`, `run/env` or `default`.

    Raises SettingInvalid where `NAME_FILE` names a file that cannot be read.
    """
    if name in os.environ:
        return os.environ[name], "environment"
    if secret_file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(secret_file).read_text().strip(), "file"
        except OSError as error:
            raise SettingInvalid(f"{name}_FILE names {secret_file}, which cannot be read: {error.strerror}.") from error
    running = _running_system()
    if name in running:
        return running[name], "run/env"
    return None, "default"


@cache
def _running_system() -> dict[str, str]:
    """What `make up` wrote for second terminals; empty where nothing runs."""
    try:
        lines = (home() / "run" / "env").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value for name, value in pairs}
