"""The states are those of the CHECK constraints, also of the partitioned tables that no model describes."""

import re
from collections.abc import Iterable
from typing import Any

import psycopg
import pytest

from reminders import states


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("reminder_state", states.ReminderState),
        ("attempt_state", states.AttemptState),
        ("attempt_outcome", states.Outcome),
        ("reply_state", states.ReplyState),
        ("timer_kind", states.Kind),
    ],
)
def test_it_is_what_the_database_allows(owner: psycopg.Connection[Any], constraint: str, values: Iterable[str]) -> None:
    found = owner.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conparentid = 0", [constraint]
    ).fetchone()
    assert found is not None
    assert set(re.findall(r"'([a-z_]+)'", found[0])) == {str(value) for value in values}
