"""A timer is found by its key alone, however many there are and whatever Postgres believes of them.

The statistics are those that hurt: counted when only rings were pending, before the look-ups of a burst were made.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from billing.database import Statements

PENDING: Final = 5_000
UNKNOWN: Final = 500  # of each kind that the statistics do not know
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
VALUES: Final[Mapping[str, str]] = {
    "uuid": "'01a21946-3c73-7df9-8ef5-aee4bee2337c'",
    "timestamp with time zone": "now()",
    "text": "'placed'",
    "integer": "1",
    "smallint": "1",
    "bigint": "1",
    "double precision": "1.0",
    "boolean": "true",
    "interval": "'1 minute'",
    "jsonb": "'{}'",
}
MODES: Final = ("force_custom_plan", "force_generic_plan")
BEFORE: Final[Mapping[str, tuple[str, str]]] = {
    "settle": ("t.kind = moved.timer_kind", "t.kind = 'look_up'"),
    "conclude": ("t.kind = its.kind", "t.kind IN ('look_up', 'hang_up')"),
    "move_reply": ("t.kind = moved.timer_kind", "t.kind = 'reply'"),
    "fold_call": ("t.kind = folded.timer_kind", "t.kind = 'look_up'"),
    "look_again": ("t.kind = moved.timer_kind", "t.kind = 'look_up'"),
    "ask_words": ("t.kind = attempt.timer_kind", "t.kind = 'look_up'"),
}
READS_ALL: Final = (
    "rebuild_replies",
    "rebuild_due",
)  # after a restore: they begin with every timer, and are asked once
TEXTS: Final = Statements("reminders")

Connection = psycopg.Connection[tuple[Any, ...]]
Plan = dict[str, Any]


def test_it_reads_no_timer_but_those_of_its_keys(counted: Connection) -> None:
    names = _found_by_key()
    assert set(BEFORE) | {"watch_call", "cancel_reminders", "move_reminder", "correct"} <= set(names)
    told = {(name, mode): list(_walks(_plan(counted, _text(name), mode))) for name in names for mode in MODES}
    assert {which: walks for which, walks in told.items() if walks} == {}


def test_with_a_kind_that_is_a_constant_each_would_read_every_timer_of_the_kind(counted: Connection) -> None:
    """The negative control: as they were written before."""
    for name, (now, before) in BEFORE.items():
        assert now in _text(name)
        for mode in MODES:
            assert list(_walks(_plan(counted, _text(name).replace(now, before), mode))), (name, mode)


@pytest.fixture
def counted(owner: Connection) -> Connection:
    _make(owner, "ring", PENDING)
    owner.execute("VACUUM (ANALYZE) reminders_timer")
    for kind in ("look_up", "hang_up", "reply"):
        _make(owner, kind, UNKNOWN)
    return owner


def _found_by_key() -> list[str]:
    texts = TEXTS._texts
    found = [name for name, text in texts.items() if not name.startswith("audit_") and b" t.key = " in text]
    return sorted(set(found) - set(READS_ALL))


def _text(name: str) -> str:
    return TEXTS.text(name).decode()


def _make(owner: Connection, kind: str, count: int) -> None:
    owner.execute(
        "INSERT INTO reminders_timer (id, kind, key, bucket, due_at, wake_at)"
        " SELECT ringback_uuid7(), %s::text, ringback_uuid7(), 0, now() + interval '1 day', now() + interval '1 day'"
        "   FROM generate_series(1, %s::int)",
        [kind, count],
    )


def _plan(owner: Connection, text: str, mode: str) -> Plan:
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    statement = PLACEHOLDER.sub(numbered, text).replace("%%", "%")
    owner.execute(sql.SQL("SET plan_cache_mode = {}").format(sql.Identifier(mode)))
    owner.execute(f"PREPARE one AS {statement}".encode())
    types = owner.execute("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'one'").fetchone()
    assert types is not None
    asked = f"EXPLAIN (FORMAT JSON) EXECUTE one ({', '.join(_value(of) for of in types[0])})"
    row = owner.execute(asked.encode()).fetchone()
    owner.execute("DEALLOCATE one")
    assert row is not None
    plan: Plan = row[0][0]["Plan"]
    return plan


def _value(of: str) -> str:
    if of.endswith("[]"):
        return f"array_fill({VALUES[of[:-2]]}::{of[:-2]}, ARRAY[100])"
    return f"{VALUES[of]}::{of}"


def _walks(plan: Plan) -> Iterator[str]:
    """The scans of timers that no id and no key bounds."""
    if plan["Node Type"].endswith("Scan") and plan.get("Relation Name") == "reminders_timer":
        bounds = plan.get("Index Cond", "") + plan.get("TID Cond", "")
        if not re.search(r"\b(id|key|ctid|subscriber_id) = ", bounds):
            yield f"{plan['Node Type']} {plan.get('Index Name', '')} {bounds} {plan.get('Filter', '')}"
    for part in plan.get("Plans", []):
        yield from _walks(part)
