"""Misfires: rings that come late, after an outage or in the night, by the policy of `reminders.quiet`.

A late ring rings and says so; in quiet hours it waits for their end; after a day it is told by SMS as missed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from billing.database import GuardFailed, Statements, expect, named
from reminders import notices, recurrence, replies
from reminders.quiet import Misfire

statements: Final = Statements("reminders")


def hold_back(*, timer_ids: Sequence[UUID], token: UUID, policy: Misfire, carrier: str, now: datetime) -> set[UUID]:
    """Decide about the late rings of a claim; the timers that are not to ring now. Raises the database's errors."""
    before = now - timedelta(seconds=policy.grace_seconds)
    rows = named(statements.run("late_rings", {"ids": list(timer_ids), "token": token, "before": before}))
    held, waiting = set(), []
    for row in rows:
        if policy.is_missed(due_at=row["due_at"], now=now):
            _miss(row, token, policy, carrier, now)
            held.add(row["timer_id"])
        elif (until := policy.wait_until(due_at=row["due_at"], zone=row["zone"], now=now)) is not None:
            waiting.append((row["timer_id"], until))
    if waiting:
        ids, ends = [one for one, _ in waiting], [until for _, until in waiting]
        statements.run("wait_quiet", {"ids": ids, "ends": ends, "token": token})
    return held | {one for one, _ in waiting}


def _miss(row: dict[str, Any], token: UUID, policy: Misfire, carrier: str, now: datetime) -> None:
    following = None
    if row["rrule"]:
        following = recurrence.following_by_day(
            rule=row["rrule"],
            rule_at=row["rule_at"] or row["due_at"],
            zone=row["zone"],
            after=now,
            quiet=policy.quiet,
        )
    try:
        with transaction.atomic():
            params = {"timer_id": row["timer_id"], "token": token, "next_due_at": following, "at": now}
            expect(statements.run("miss_ring", params), 1)
            _tell(row, carrier, now)
    except GuardFailed:
        return  # somebody moved it first


def _tell(row: dict[str, Any], carrier: str, now: datetime) -> None:
    moment = replies.say_moment(when=row["due_at"], zone=row["zone"], language=row["language"])
    subject = replies.shown(row["subject"])
    body = replies.say(row["language"], "missed_outage", subject=subject, moment=moment)
    notices.tell_missed(of=row, body=body, carrier=carrier, now=now)
