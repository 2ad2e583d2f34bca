"""Rows that no month holds come into theirs: all of a month or none, unchanged, and nothing is lost beside it."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final, LiteralString

import psycopg
import pytest
from django.core.management import call_command

from reminders import unplaced
from tests import databases, servers
from tests.races.interleaving import POLL_SECONDS, POLLS_MAX

FAR: Final = "2031-05-10"
# One of each table, of that day, as a clock that was years ahead would have made them.
STRAYS: Final[tuple[LiteralString, ...]] = (
    """INSERT INTO reminders_message (id, subscriber_id, bucket, carrier, carrier_sid, body, segments, outcome, kind,
                                      received_at)
       VALUES (ringback_uuid7_at(%s), gen_random_uuid(), 7, 'twilio', 'SM1', 'tea', 1, 'refused', 'help', now())""",
    """INSERT INTO reminders_attempt (id, reminder_id, occurrence_id, subscriber_id, bucket, sequence, number, state,
                                      carrier)
       VALUES (ringback_uuid7_at(%s), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 7, 1, 1, 'placed',
               'twilio')""",
    """INSERT INTO reminders_event (id, subscriber_id, bucket, version, what, occurred_at, detail)
       VALUES (ringback_uuid7_at(%s), gen_random_uuid(), 7, 1, 'reminder.scheduled', now(), '{"a": 1}')""",
    """INSERT INTO reminders_reply (id, subscriber_id, bucket, kind, body, segments, state, carrier, created_at)
       VALUES (ringback_uuid7_at(%s), gen_random_uuid(), 7, 'help', 'tea', 1, 'sent', 'twilio', now())""",
)
TABLES: Final = ("reminders_message", "reminders_attempt", "reminders_event", "reminders_reply")

Owner = psycopg.Connection[tuple[Any, ...]]


def _plant(owner: Owner, *days: str) -> None:
    for day in days:
        for stray in STRAYS:
            owner.execute(stray, [day])


def _rows(owner: Owner, suffix: str = "") -> list[list[tuple[Any, ...]]]:
    return [owner.execute(f"SELECT * FROM {table}{suffix} ORDER BY id").fetchall() for table in TABLES]


def _run(*words: str) -> tuple[int, str, str]:
    said, complained = StringIO(), StringIO()
    try:
        call_command("place_rows", *words, stdout=said, stderr=complained)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code, said.getvalue(), complained.getvalue()
    return 0, said.getvalue(), complained.getvalue()


@pytest.mark.usefixtures("database")
def test_it_says_so_where_every_row_is_in_its_month() -> None:
    assert _run() == (0, "Every row of history is in its month.\n", "")
    assert _run("--all") == (0, "Every row of history is in its month.\n", "")


def test_it_lists_what_no_month_holds_and_changes_nothing(owner: Owner) -> None:
    _plant(owner, FAR, "2031-05-11", "2020-02-29")
    code, said, _ = _run()
    assert (code, [line.split() for line in said.splitlines()[2:4]]) == (
        0,
        [["2020-02", "1", "1", "1", "1"], ["2031-05", "2", "2", "2", "2"]],
    )
    assert [one["month"] for one in json.loads(_run("--json")[1])["unplaced"]] == ["2020-02", "2031-05"]
    assert [len(rows) for rows in _rows(owner, "_default")] == [3, 3, 3, 3]


def test_it_moves_every_row_into_its_month_and_changes_none(owner: Owner) -> None:
    _plant(owner, FAR, "2020-02-29")
    before = _rows(owner)
    assert json.loads(_run("--all", "--json")[1]) == {"unplaced": [], "placed": {"2020-02": 4, "2031-05": 4}}
    assert _rows(owner) == before
    assert _rows(owner, "_default") == [[], [], [], []]
    assert [len(rows) for rows in _rows(owner, "_203105")] == [1, 1, 1, 1]
    _plant(owner, "2031-05-31 23:59:59+00")  # what comes now goes there by itself
    assert _run()[1] == "Every row of history is in its month.\n"
    assert [len(rows) for rows in _rows(owner, "_203105")] == [2, 2, 2, 2]


def test_a_month_that_it_made_is_as_every_other(owner: Owner) -> None:
    _plant(owner, FAR)
    _run("2031-05")
    like = """SELECT parent.relname, am.amname, pg_get_indexdef(i.indexrelid) ~ 'UNIQUE', i.indisvalid
                FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
                JOIN pg_inherits h ON h.inhrelid = c.oid JOIN pg_class parent ON parent.oid = h.inhparent
               WHERE i.indrelid = %s::regclass ORDER BY 1"""
    owns = "SELECT relowner::regrole::text, relacl::text, reloptions FROM pg_class WHERE oid = %s::regclass"
    checks = """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                 WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY 1"""
    now = datetime.now(UTC).strftime("_%Y%m")
    for table in TABLES:
        for asked in (like, owns, checks):
            other = owner.execute(asked, [table + now]).fetchall()
            assert owner.execute(asked, [table + "_203105"]).fetchall() == other, table
            assert other


def test_it_leaves_a_month_with_more_rows_than_it_may_move_as_it_is(owner: Owner) -> None:
    _plant(owner, FAR)
    before = _rows(owner, "_default")
    code, _, complained = _run("2031-05", "--rows-max", "3")
    assert (code, "2031-05 has more than 3 rows" in complained) == (2, True)
    assert _rows(owner, "_default") == before
    assert owner.execute("SELECT to_regclass('reminders_message_203105')").fetchone() == (None,)


def test_it_leaves_rows_that_somebody_uses_as_they_are(owner: Owner, database: servers.Database) -> None:
    _plant(owner, FAR)
    with databases.connected(database.owner_url) as other, other.transaction():
        other.execute("LOCK TABLE reminders_event_default IN ROW EXCLUSIVE MODE")
        code, _, complained = _run("2031-05")
    assert (code, "somebody uses those rows" in complained) == (2, True)
    assert [len(rows) for rows in _rows(owner, "_default")] == [1, 1, 1, 1]


@pytest.mark.usefixtures("database")
def test_it_refuses_a_month_that_has_nothing_to_move() -> None:
    code, said, complained = _run("2031-05")
    assert (code, said, complained) == (
        2,
        "",
        "No row of 2031-05 lies outside of its month. Next: ./manage.py place_rows\n",
    )


def test_a_row_that_comes_meanwhile_is_kept_or_refused_and_never_left_behind(
    owner: Owner, superuser: Owner, database: servers.Database
) -> None:
    _plant(owner, FAR)
    with databases.connected(database.owner_url) as moving, databases.connected(database.app_url) as writing:
        writing.execute("SET lock_timeout = 0")  # however busy the machine is
        with moving.transaction():
            moving.execute("SELECT ringback_place_rows(%s, 100)", [FAR])
            refused: list[BaseException | None] = []
            thread = threading.Thread(
                target=lambda: refused.append(_failed(lambda: writing.execute(STRAYS[2], ["2031-05-12"])))
            )
            thread.start()
            _until_blocked_or_done(superuser, thread)
        thread.join(timeout=60)
    assert _rows(owner, "_default") == [[], [], [], []]
    kept = len(_rows(owner, "_203105")[2]) - 1
    assert (kept, type(refused[0])) in [(1, type(None)), (0, psycopg.errors.CheckViolation)]
    assert unplaced.waiting() == []


def _failed(do: Callable[[], object]) -> BaseException | None:
    try:
        do()
    except psycopg.Error as error:
        return error
    return None


def _until_blocked_or_done(superuser: Owner, thread: threading.Thread) -> None:
    pause = threading.Event()
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(POLLS_MAX):
        if not thread.is_alive() or superuser.execute(waiting).fetchall():
            return
        pause.wait(POLL_SECONDS)
    raise TimeoutError("it neither waited nor ended")
