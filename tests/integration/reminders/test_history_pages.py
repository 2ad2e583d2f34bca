"""One person's history: the pages that it touches are those of the person, however many others there are."""

import re
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from billing.database import Statements
from billing.ledger import statements as billing
from billing.queries import CHARGED, CREDIT
from deploy.lab.bench import seeding
from deploy.lab.bench.texts import number
from reminders import history, limits

PERSONS: Final = 60
EACH: Final = 10  # reminders of one person in seven days
TOLD_OF_A_REMINDER: Final = 18  # message, reply, six events, eight of the attempt, two charges
# What may grow with others: an index is one page deeper, in each partition where it is looked into.
GROWTH_MAX: Final = 1.3
PAGES_OF_A_REMINDER_MAX: Final = 70
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")

Connection = psycopg.Connection[tuple[Any, ...]]


def test_it_touches_as_many_pages_of_a_person_however_many_others_there_are(owner: Connection) -> None:
    for before, after in grown(
        owner, {"plan_cache_mode": "force_custom_plan"}, {"plan_cache_mode": "force_generic_plan"}
    ):
        assert all(after[name] <= before[name] * GROWTH_MAX + EACH for name in before), (before, after)
        assert sum(after.values()) < EACH * PAGES_OF_A_REMINDER_MAX, after


def test_without_its_indexes_it_would_touch_more_with_each_that_comes(owner: Connection) -> None:
    """The negative control."""
    ((before, after),) = grown(owner, {"enable_indexscan": "off", "enable_bitmapscan": "off"})
    assert sum(after.values()) > 2 * sum(before.values())


def test_it_asks_for_nothing_twice(owner: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a charge was for is told already, so that it is not looked up again."""
    lived(owner, persons=1)
    asked: list[str] = []
    read = Statements.read

    def noted(self: Statements, name: str, params: dict[str, Any]) -> Any:
        asked.append(name)
        return read(self, name, params)

    monkeypatch.setattr(Statements, "read", noted)
    with history.snapshot(seconds=10):
        person = history.person(number=number(0))
        assert person is not None
        told = history.trace(person=person, at=None)
    assert asked == [*(f"trace_{name}" for name in (*history.TOLD, "reminders", "timers")), "read_lines"]
    assert len(told.events) == TOLD_OF_A_REMINDER * EACH
    assert {one.number for one in told.events} == set(range(1, EACH + 1))
    assert told.complete


def grown(owner: Connection, *several: dict[str, str]) -> list[tuple[dict[str, int], dict[str, int]]]:
    """The pages that each statement touches for the last of PERSONS, under several settings of the planner.

    Among few rows, then among four times as many.
    """
    lived(owner, persons=PERSONS)
    before = [pages(owner, planner) for planner in several]
    seeding.lived(owner, count=3 * PERSONS * EACH, persons=PERSONS - 1)
    return list(zip(before, [pages(owner, planner) for planner in several], strict=True))


def lived(owner: Connection, *, persons: int) -> None:
    seeding.people(owner, count=persons)
    seeding.lived(owner, count=persons * EACH, persons=persons)


def pages(owner: Connection, planner: dict[str, str]) -> dict[str, int]:
    """By statement, what the server counted, found in its memory or read."""
    whose = "SELECT id, account_id FROM reminders_subscriber WHERE number = %s"
    row = owner.execute(whose, [number(PERSONS - 1)]).fetchone()
    assert row is not None
    params = {
        "subscriber_id": row[0],
        "account_id": row[1],
        "rows_max": limits.TRACE_ROWS_MAX,
        "attempts_max": limits.TRACE_ATTEMPTS_MAX,
        "kinds": [*CHARGED, CREDIT],
    }
    texts = {f"trace_{name}": history.statements for name in (*history.TOLD, "reminders", "timers")}
    with owner.transaction():
        for name, value in planner.items():
            owner.execute("SELECT set_config(%s, %s, true)", [name, value])
        return {name: touched(owner, of.text(name), params) for name, of in {**texts, "read_lines": billing}.items()}


def touched(owner: Connection, text: bytes, params: dict[str, Any]) -> int:
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"${len(names)}"

    statement = PLACEHOLDER.sub(numbered, text.decode()).replace("%%", "%")
    owner.execute(f"PREPARE one AS {statement}".encode())
    values = sql.SQL(", ").join(sql.Literal(params[name]) for name in names)
    asked = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE one ({})").format(values)
    owner.execute(asked)  # the first time it sets the bits of rows that it is the first to see
    row = owner.execute(asked).fetchone()
    owner.execute("DEALLOCATE one")
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
