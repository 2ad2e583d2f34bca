"""The transition tables are total, and have no move out of an end but those that the design names."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import pytest

from reminders import states
from reminders.models import MessageKey, Reminder, Timer

TABLES: Final[tuple[tuple[type[StrEnum], Mapping[Any, tuple[Any, ...]]], ...]] = (
    (states.ReminderState, states.REMINDER_TRANSITIONS),
    (states.AttemptState, states.ATTEMPT_TRANSITIONS),
    (states.ReplyState, states.REPLY_TRANSITIONS),
)


@pytest.mark.parametrize(("enum", "table"), TABLES, ids=lambda one: getattr(one, "__name__", ""))
def test_it_names_every_state_and_no_other(enum: type[StrEnum], table: Mapping[Any, tuple[Any, ...]]) -> None:
    assert set(table) == set(enum)
    assert {state for following in table.values() for state in following} <= set(enum)
    assert all(len(set(following)) == len(following) for following in table.values())


@pytest.mark.parametrize(("enum", "table"), TABLES, ids=lambda one: getattr(one, "__name__", ""))
def test_it_reaches_every_state_from_the_first(enum: type[StrEnum], table: Mapping[Any, tuple[Any, ...]]) -> None:
    first = next(iter(enum))
    reached, fresh = {first}, {first}
    while fresh:
        fresh = {following for state in fresh for following in table[state]} - reached
        reached |= fresh
    assert reached == set(enum)


def test_it_leaves_an_end_only_to_ring_again_or_by_a_late_proof() -> None:
    for state, following in states.REMINDER_TRANSITIONS.items():
        if state not in states.OPEN_REMINDER:
            assert set(following) <= {states.ReminderState.SCHEDULED, states.ReminderState.ANSWERED}
    assert states.ATTEMPT_TRANSITIONS[states.AttemptState.ENDED] == ()
    assert states.ATTEMPT_TRANSITIONS[states.AttemptState.NOT_SENT] == ()
    assert states.REPLY_TRANSITIONS[states.ReplyState.UNDELIVERED] == ()


def test_it_has_an_open_attempt_wherever_a_call_may_still_be() -> None:
    ended = {state for state in states.AttemptState if state not in states.OPEN_ATTEMPT}
    assert ended == {states.AttemptState.ENDED, states.AttemptState.NOT_SENT, states.AttemptState.NOT_PLACED}


def test_it_is_what_the_models_constraints_allow() -> None:
    assert _allowed(Reminder, "reminder_state") == tuple(str(s) for s in states.ReminderState)
    assert _allowed(Timer, "timer_kind") == tuple(str(k) for k in states.Kind)
    assert _allowed(MessageKey, "message_key_outcome") == ("reminder", "command", "refused")


def _allowed(model: Any, name: str) -> tuple[str, ...]:
    (constraint,) = (c for c in model._meta.constraints if c.name == name)
    ((_, values),) = constraint.condition.children
    return tuple(values)
