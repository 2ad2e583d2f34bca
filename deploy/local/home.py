"""The data directory: where things are in it, how a file of it is written, and the secrets that it keeps."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.problems import CannotStartError

REPOSITORY: Final = Path(__file__).resolve().parents[2]

# Each is a file of that name in secrets/, made once: put another value there to choose it.
_SECRET_BYTES: Final = 24


@dataclass(frozen=True, kw_only=True)
class Home:
    """`$RINGBACK_HOME`, by default `.ringback` beside the code."""

    root: Path

    @property
    def run(self) -> Path:
        """What describes the running system: pid files, `env`, `interface.json`."""
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        """Generated once, kept, readable by their owner only."""
        return self.root / "secrets"

    @property
    def postgres(self) -> Path:
        """The cluster of postgres-1."""
        return self.root / "postgres-1" / "data"

    def postgres_of(self, name: str) -> Path:
        """The cluster of a node."""
        return self.root / name / "data"

    @property
    def migrated(self) -> Path:
        """The stamp of the migrations that the cluster has; it goes where the cluster goes."""
        return self.root / "postgres-1" / "migrated"

    @property
    def replicated(self) -> Path:
        """The mark of data that three nodes share: one of them alone may lack what was accepted last."""
        return self.root / "replicated"

    @property
    def backups(self) -> Path:
        """The base backups, each named for the moment at which it was whole."""
        return self.root / "backups"

    @property
    def archive(self) -> Path:
        """The write-ahead log since the oldest base backup."""
        return self.root / "archive"

    @property
    def quarantine(self) -> Path:
        """The mark of a restored database that the application may not use yet, for people and for commands."""
        return self.root / "quarantine"

    @property
    def redis(self) -> Path:
        """Redis's append-only file and settings."""
        return self.root / "redis"

    def make(self) -> None:
        """Make the directories. Raises CannotStartError where they cannot be made."""
        try:
            self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
            for private in (self.run, self.secrets):
                private.mkdir(mode=0o700, exist_ok=True)
                private.chmod(0o700)
            (self.root / "postgres-1").mkdir(mode=0o711, exist_ok=True)
        except OSError as problem:
            raise CannotStartError(
                f"Cannot write to {self.root} ({problem.strerror}): choose another place with RINGBACK_HOME."
            ) from None

    def secret(self, name: str, *, made: str | None = None) -> str:
        """The secret of that name; where there is none yet it is made, at random or as `made`."""
        place = self.secrets / name
        if not place.exists():
            write_private(place, (made or secrets.token_urlsafe(_SECRET_BYTES)) + "\n")
        return place.read_text().strip()


def home() -> Home:
    """The data directory that the environment names."""
    return Home(root=Path(os.environ.get("RINGBACK_HOME") or REPOSITORY / ".ringback").expanduser().absolute())


def write_private(place: Path, text: str) -> None:
    """Replace a file at once by one that only its owner can read (0600)."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    with os.fdopen(handle, "w") as new:
        new.write(text)
    Path(name).replace(place)


def write_environment(place: Path, settings: Mapping[str, str]) -> None:
    """Write KEY=VALUE lines, as `config.environment` reads them."""
    write_private(place, "".join(f"{name}={settings[name]}\n" for name in sorted(settings)))


def read_environment(place: Path) -> dict[str, str]:
    """The settings that a running system was started with; empty where none was."""
    try:
        lines = place.read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)
