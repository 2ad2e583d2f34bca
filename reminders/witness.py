"""The witness of this process: a file in `$RINGBACK_HOME/witness`, and a look at each connection that is made.

No statement of a process that serves goes to a database before that has been compared with what every process of this
data directory was told. Only who takes texts and who dispatches have a number of their own moved; the others compare.
"""

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from django.conf import settings

from billing import breaker
from billing.database import uuid7
from reminders import limits, lineage
from reminders.lineage import Quarantined, Standing, Witness

log = structlog.get_logger()


@dataclass
class _Own:
    """Of this process: whether it compares at all and was refused last, what it was told, and when (monotonic)."""

    is_watching: bool = False
    is_refused: bool = False
    witness: Witness | None = None
    moved_at: float = float("-inf")


_own: Final = _Own()


def directory() -> Path:
    """Where the witnesses of this data directory are."""
    return Path(settings.RINGBACK_HOME) / "witness"


def watch() -> None:
    """Compare each new connection from now on: a process that serves, before it asks the database for anything."""
    _own.is_watching = True


def ignore() -> None:
    """Compare nothing: this process makes the tables in which it is written down."""
    _own.is_watching = False


def told() -> list[Witness]:
    """What the processes of this data directory were told. A file that cannot be read is no witness, and is named."""
    found: dict[UUID, Witness] = {}
    for file in sorted(directory().glob("*.json"))[: limits.WITNESSES_MAX]:
        one = _read(file)
        if one is not None:
            found[one.id] = one
    if _own.witness is not None:  # its file may be on a full disk
        found[_own.witness.id] = _own.witness
    return list(found.values())


def look(raw: "psycopg.Connection[Any]") -> None:
    """At a connection that was just made. Raises Quarantined, and psycopg's errors; it is closed then."""
    if not _own.is_watching:
        return
    try:
        _compare(raw)
    except BaseException:
        raw.close()
        raise


def turn(raw: "psycopg.Connection[Any]") -> None:
    """Once a second, have the number moved on this connection, and keep what was acknowledged.

    Raises Quarantined, and psycopg's errors; the connection is closed then, and the breaker says why.
    """
    if not _own.is_watching or time.monotonic() - _own.moved_at < limits.WITNESS_SECONDS:
        return
    try:
        moved = lineage.move(raw=raw, witness=_own.witness) if _own.witness is not None else None
        moved = moved or _adopted(raw)
    except Quarantined:
        if getattr(raw, "trips", False):  # of a pool, whose probe will shut it again
            breaker.trip(why=breaker.QUARANTINED)
        raw.close()
        raise
    _own.moved_at = time.monotonic()
    if moved is not None:
        _own.witness = moved
        _keep(moved)


def _adopted(raw: "psycopg.Connection[Any]") -> Witness | None:
    found = _compare(raw)
    before = _own.witness or _read(_file())
    return lineage.adopt(
        raw=raw,
        id=before.id if before is not None else uuid7(),
        number=before.number if before is not None else 0,
        instance=settings.RINGBACK_INSTANCE,
        found=found,
    )


def _compare(raw: "psycopg.Connection[Any]") -> Standing:
    try:
        found = lineage.check(raw=raw, witnesses=told())
    except Quarantined as error:
        if not _own.is_refused:
            log.error("database.quarantined", says=str(error))
        _own.is_refused = True
        raise
    if _own.is_refused:
        log.info("database.released")
    _own.is_refused = False
    return found


def _file() -> Path:
    return directory() / f"{settings.RINGBACK_INSTANCE or 'ringback'}.json"


def _read(file: Path) -> Witness | None:
    try:
        words = json.loads(file.read_bytes())
        return Witness(
            id=UUID(words["id"]),
            born=UUID(words["born"]),
            lineage=UUID(words["lineage"]),
            number=int(words["number"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("witness.unreadable", file=file.name, error=type(error).__name__)
        return None


def _keep(witness: Witness) -> None:
    """Durably and at once, or not at all: a disk that takes nothing stops nobody, since an older number is true too."""
    words = {
        "id": str(witness.id),
        "born": str(witness.born),
        "lineage": str(witness.lineage),
        "number": witness.number,
    }
    place = _file()
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(json.dumps(words) + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(new).replace(place)
        except OSError:
            Path(new).unlink(missing_ok=True)  # each second another, on a disk that is full
            raise
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        log.warning("witness.not_kept", error=error.strerror)
