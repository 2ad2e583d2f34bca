"""Rows that a measure needs, made by set-based SQL as the owner and through the real constraints.

What the services would write (person, account, message, reminder, occurrence, timer, event) is written, so that the
audit and replay read these rows like any others. Millions that are only pending (reminder, occurrence, timer) are made
as the superuser, on two connections: all constraints but the foreign keys, which one statement keeps by itself.
"""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any, Final, LiteralString

import psycopg

from deploy.lab.bench.texts import number
from reminders.phone import bucket

_SQL: Final = {
    file.name.removesuffix(".sql"): file.read_text()
    for file in (resources.files("deploy.lab.bench") / "sql").iterdir()
    if file.name.endswith(".sql")
}

_STEP: Final = 100_000  # rows of one statement: it holds them all
_SEEDERS: Final = 2
_CLEARINGS: Final = 5
_TEN_YEARS: Final = 315_360_000.0  # seconds
_LIVED_STEP: Final = 25_000  # each is twenty rows


def people(connection: "psycopg.Connection[Any]", *, count: int) -> None:
    """Make sure that the persons 0 … `count` exist, each with an account."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE wanted (number text, bucket smallint) ON COMMIT DROP")
        with cursor.copy("COPY wanted FROM STDIN") as copy:
            for position in range(count):
                told = number(position)
                copy.write_row((told, bucket(told)))
        cursor.execute(_SQL["people"])
    connection.execute("ANALYZE reminders_subscriber, billing_account")


def reminders(
    connection: "psycopg.Connection[Any]", *, persons: int, due_in_seconds: float, apart_seconds: float, first: int = 0
) -> float:
    """One reminder each for `persons` persons from the `first` on; when the first is due (Unix time).

    Due `due_in_seconds` after this commits at the earliest, then every `apart_seconds` (0: all at one instant).
    """
    row = connection.execute(
        _quick(connection, _SQL["reminders"]),
        {
            "numbers": [number(position) for position in range(first, first + persons)],
            "due_in_seconds": due_in_seconds,
            "apart_seconds": apart_seconds,
        },
    ).fetchone()
    assert row is not None
    return float(row[0])


def pending(
    connect: Callable[[], "psycopg.Connection[Any]"], *, count: int, persons: int, made: Callable[[int], None]
) -> None:
    """About `count` reminders, due in ten years from a month on, as many for each of the first `persons` persons.

    `connect` gives a superuser's connection. `made` hears how many each statement made, from two threads.
    """
    each = max(1, round(count / persons))
    step = max(1, _STEP // each)
    firsts = range(0, persons, step)
    params = [
        {"first": first, "persons": min(step, persons - first), "each": each, "apart_seconds": _TEN_YEARS / count}
        for first in firsts
    ]

    def make(several: Sequence[dict[str, float]]) -> None:
        with connect() as connection:
            connection.execute(
                "SET session_replication_role = replica"
            )  # no foreign keys: half as long again with them
            for one in several:
                connection.execute(_quick(connection, _SQL["pending"]), one)
                made(int(one["persons"]) * each)

    with ThreadPoolExecutor(_SEEDERS) as seeders:
        list(seeders.map(make, [params[seeder::_SEEDERS] for seeder in range(_SEEDERS)]))
    with connect() as connection:
        connection.execute("VACUUM (ANALYZE) reminders_timer, reminders_reminder, reminders_occurrence")


def pending_now(connection: "psycopg.Connection[Any]") -> int:
    """How many of `pending` are there."""
    row = connection.execute(
        "SELECT count(*) FROM reminders_timer WHERE kind = 'ring' AND wake_at > now() + interval '12 hours'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def lived(connection: "psycopg.Connection[Any]", *, count: int, persons: int) -> None:
    """`count` reminders that were answered within the last seven days, spread over `persons` persons."""
    connection.execute(_SQL["uuid7_of"])
    for at in range(0, count, _LIVED_STEP):
        connection.execute(_SQL["lived"], {"count": min(_LIVED_STEP, count - at), "persons": persons})
    connection.execute("VACUUM (ANALYZE)")


def _quick(connection: "psycopg.Connection[Any]", statement: str) -> str:
    """With the server's own UUIDv7 where it has one: ours, in SQL, is half of the time of a million rows."""
    return statement.replace("ringback_uuid7()", "uuidv7()") if connection.info.server_version >= 180000 else statement


def clear_timers(connection: "psycopg.Connection[Any]") -> None:
    """What a measured round left to be done later is not done: the next round starts quiet."""
    # Two statements, so that each has its index: there may be ten million more, far from due.
    _clear(connection, "DELETE FROM reminders_timer WHERE kind = 'ring' AND wake_at < now() + interval '12 hours'")
    _clear(
        connection,
        "DELETE FROM reminders_timer WHERE kind <> 'ring' AND subscriber_id IS NOT NULL"
        " AND wake_at < now() + interval '12 hours'",
    )
    _clear(connection, "DELETE FROM reminders_opencall")
    connection.execute("VACUUM (ANALYZE) reminders_timer, reminders_opencall")


def _clear(connection: "psycopg.Connection[Any]", statement: LiteralString) -> None:
    """On a busy machine the worker tends the same rows meanwhile, in another order: again, a few times."""
    for _ in range(_CLEARINGS):
        with contextlib.suppress(psycopg.errors.DeadlockDetected):
            connection.execute(statement)
            return
    connection.execute(statement)
