"""Lineage: whether this database has every commit that was acknowledged to us, or was put back by whatever means.

A witness is a process that has a row of its own moved about once a second, and keeps on its own disk the last number
that was acknowledged to it. A database whose row is behind that number lacks acknowledged commits. The lineage is the
list of what this database has been: a release begins a new entry, by which the witnesses know that they were heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import connection as django
from django.db import transaction

from billing import deadline
from billing.database import Statements, first
from reminders import limits

statements: Final = Statements("reminders")


class Quarantined(psycopg.OperationalError):
    """This database lacks commits that were acknowledged, until `./manage.py release`. Nothing may be done in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """What one process was told: of the database that was `born` so, in this lineage, up to this number."""

    id: UUID
    born: UUID
    lineage: UUID
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a database says of itself, and of the witnesses that were shown to it.

    `ahead`: so many of them know more than it does; of these, `strangers` are witnesses of another database.
    """

    born: UUID | None = None
    lineage: UUID | None = None
    is_closed: bool = False
    unknown: Sequence[UUID] = field(default=())
    ahead: int = 0
    strangers: int = 0
    reached_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A quarantine: when it was declared, and how far the database surely goes; None where nothing says it."""

    declared_at: datetime
    reached_at: datetime | None


def standing(*, raw: "psycopg.Connection[Any]", witnesses: Sequence[Witness]) -> Standing:
    """Ask the database. One without these tables is ahead of nobody. Raises psycopg's errors."""
    params = {
        "ids": [one.id for one in witnesses],
        "borns": [one.born for one in witnesses],
        "lineages": [one.lineage for one in witnesses],
        "numbers": [one.number for one in witnesses],
    }
    try:
        row = first(raw.execute(statements.text("lineage_check"), params))
    except psycopg.errors.UndefinedTable:
        return Standing(ahead=len(witnesses), strangers=len(witnesses))
    return Standing(**row) if row is not None else Standing()


def check(*, raw: "psycopg.Connection[Any]", witnesses: Sequence[Witness]) -> Standing:
    """Go on only where the database lacks nothing. `raw` is in autocommit.

    Raises Quarantined; where it is found here it is declared for everybody first. A server that does not acknowledge
    the declaration is a primary of the past, and no database of ours: that is an OperationalError like any other. The
    database of somebody else is not closed to its owners: only we are refused.
    """
    found = standing(raw=raw, witnesses=witnesses)
    if found.ahead and not found.is_closed and not found.strangers:
        with deadline.within(seconds=limits.DECLARE_SECONDS):
            found = _declare(raw, witnesses)
    if found.is_closed:
        raise Quarantined("the database lacks commits that were acknowledged: ./manage.py release")
    if found.ahead:
        raise Quarantined(
            "this is not the database that this data directory has worked with: ./manage.py release rebuilds it, and "
            "where another one is meant, remove `witness` from the data directory"
        )
    return found


def move(*, raw: "psycopg.Connection[Any]", witness: Witness) -> Witness | None:
    """The witness one number on, acknowledged; None where `check` must say why not. Raises psycopg's errors."""
    params = {"id": witness.id, "number": witness.number, "lineage": witness.lineage}
    row = raw.execute(statements.text("lineage_move"), params).fetchone()
    if row is None:
        return None
    return Witness(id=witness.id, born=witness.born, lineage=witness.lineage, number=int(row[0]))


def adopt(*, raw: "psycopg.Connection[Any]", id: UUID, number: int, instance: str, found: Standing) -> Witness | None:  # noqa: A002
    """Be a witness from now on of the database that was `found` to lack nothing; None where it has no lineage yet."""
    if found.born is None or found.lineage is None:
        return None
    params = {"id": id, "number": number, "instance": instance}
    row = raw.execute(statements.text("lineage_adopt"), params).fetchone()
    if row is None:
        return None
    return Witness(id=id, born=found.born, lineage=found.lineage, number=int(row[0]))


def lost(*, witnesses: Sequence[Witness], now: datetime) -> Lost | None:
    """The quarantine that this database is in, or would be put into by these witnesses; None where there is none."""
    django.ensure_connection()
    row = first(statements.run("lineage_lost", {}))
    if row is not None:
        return Lost(declared_at=row["declared_at"], reached_at=None if row["is_unsure"] else row["reached_at"])
    found = standing(raw=django.connection, witnesses=witnesses)
    return Lost(declared_at=now, reached_at=found.reached_at) if found.ahead else None


def release(*, witnesses: Sequence[Witness]) -> None:
    """Begin a new lineage, which ends a quarantine: these witnesses were heard. Raises the database's errors."""
    with transaction.atomic(), django.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        statements.run("lineage_lock", {})
        found = standing(raw=django.connection, witnesses=witnesses)
        if found.unknown:
            statements.run("lineage_lose", {"unknown": list(found.unknown), "reached_at": found.reached_at})
        statements.run("lineage_release", {})


def _declare(raw: "psycopg.Connection[Any]", witnesses: Sequence[Witness]) -> Standing:
    """Under the lock, and looked at again: nobody declares what was released a moment ago."""
    with raw.transaction():
        raw.execute(statements.text("lineage_lock"))
        found = standing(raw=raw, witnesses=witnesses)
        if found.ahead and not found.is_closed:
            params = {"unknown": list(found.unknown), "reached_at": found.reached_at}
            raw.execute(statements.text("lineage_lose"), params)
            found = standing(raw=raw, witnesses=witnesses)
    return found
