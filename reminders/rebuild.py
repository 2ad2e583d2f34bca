"""Rebuild: what a restored database lacks is rebuilt from the carrier's books, as it happened.

Texts, calls and their ends are gone through in the order of the carrier's dates: a text through intake, a call as the
attempt of what was due then, its end by the one folding of evidence that there is. The carrier's ids are the keys, so
that to do it again, or after a crash on the way, changes nothing. While it runs nothing else may use the database.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from billing import breaks, charges
from billing.database import Statements, first, prove, uuid7
from reminders import intake, limits, outcomes, recovery, tracing
from reminders.carriers import session
from reminders.carriers.base import CallRecord, Carrier, CarrierError, Evidence, Inbound, MessageRecord, Told
from reminders.carriers.twilio import CALL_ENDS
from reminders.retry import Policy
from reminders.states import OPEN_ATTEMPT, AttemptState

statements: Final = Statements("reminders")

KEYS: Final = frozenset("129")
# In one second a call's end comes first, then the next call, then a text: a text may have been about either.
END, BEGIN, TEXT = range(3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What one account's books say since then. `told`: of a call, which attempt its webhooks named and which keys."""

    carrier: str
    is_asked: bool
    is_complete: bool = False
    texts: Sequence[MessageRecord] = ()
    calls: Sequence[CallRecord] = ()
    told: Mapping[str, Told] = field(default_factory=dict)
    untold: tuple[str, ...] = ()  # answered calls of which the carrier does not say, or not yet, what was pressed


@dataclass(kw_only=True, slots=True)
class Rebuilt:
    """What one pass did. `strangers`: calls for which nothing of ours can be found, each with the number it went to."""

    fetched: int = 0
    placed: int = 0
    ended: int = 0
    keys: int = 0
    going_on: int = 0
    strangers: list[tuple[str, str]] = field(default_factory=list)


def gather(*, carrier: Carrier, since: datetime) -> Gathered:
    """Read the carrier's books since then. Nothing is changed. Raises the database's errors."""
    try:
        found = carrier.messages(number="", inbound=True, since=since, pages_max=limits.BACKFILL_PAGES_MAX)
        texts = session.run(found, within_seconds=limits.BACKFILL_SECONDS)
        calls = session.run(carrier.calls_to("", since=since), within_seconds=limits.BACKFILL_SECONDS)
        known = _known(carrier.name, calls)
        open_ = [one for one in calls if known.get(one.sid, (None, "intended"))[1] in OPEN_ATTEMPT]
        told = session.run(_told(carrier, [one.sid for one in open_]), within_seconds=limits.REBUILD_SECONDS)
    except (CarrierError, TimeoutError):
        return Gathered(carrier=carrier.name, is_asked=False)
    return Gathered(
        carrier=carrier.name,
        is_asked=True,
        is_complete=len(calls) < limits.CALL_LIST_MAX
        and len(texts) < limits.BACKFILL_PAGES_MAX * limits.MESSAGE_LIST_MAX,
        texts=[one for one in texts if one.inbound],
        calls=calls,
        told=told,
        untold=tuple(one.sid for one in open_ if one.duration_seconds and one.sid not in told),
    )


def rebuild(
    *, gathered: Sequence[Gathered], moment: datetime, stopped_at: datetime, policy: Policy, now: datetime
) -> Rebuilt:
    """Go through what was gathered in the order in which it happened.

    The database knows everything up to `moment`; nothing of ours ran after `stopped_at`.
    Raises the database's errors. After one it is done again from the start: what is there already is passed over.
    """
    replay = _Replay(moment=moment, stopped_at=stopped_at, policy=policy, now=now)
    for books in gathered:
        replay.add(books)
    replay.run()
    statements.run("rebuild_replies", {"before": stopped_at + recovery.CLOCK_SLACK})
    return replay.rebuilt


def reached(*, moment: datetime, carriers: Sequence[Carrier], now: datetime) -> datetime:
    """How far the database that was put back to `moment` surely went along with the carrier.

    It may have been in quarantine at that moment, not rebuilt yet: then it is older than that. The mark of the last
    reconciling stands in it; where there is none, as far back as the carrier is asked at all.
    """
    earliest = now - timedelta(days=limits.BACKFILL_DAYS_MAX)
    rows = [statements.run("read_mark", {"name": f"reconciled:{one.name}"}).fetchone() for one in carriers]
    return max(earliest, min([moment, *(row[0] if row else earliest for row in rows)]))


def due(*, numbers: Sequence[str], now: datetime) -> list[str]:
    """Which of these people would be rung at once."""
    return [number for (number,) in statements.run("rebuild_due", {"numbers": list(numbers), "now": now}).fetchall()]


class _Replay:
    """What happened, by time: each step may put another before the next (a call that began will end)."""

    def __init__(self, *, moment: datetime, stopped_at: datetime, policy: Policy, now: datetime) -> None:
        self.rebuilt = Rebuilt()
        self._moment = moment
        self._stopped_at = stopped_at
        self._policy = policy
        self._now = now
        self._order = itertools.count()
        self._ahead: list[tuple[datetime, int, int, Any]] = []
        self._told: dict[str, Told] = {}
        self._known: dict[tuple[str, str], tuple[UUID, str]] = {}

    def add(self, books: Gathered) -> None:
        known = _known(books.carrier, books.calls)
        self._known |= {(books.carrier, sid): found for sid, found in known.items()}
        self._told |= books.told
        for text in _missing(books):
            self._push(text.created_at, TEXT, (books.carrier, text))
        for call in books.calls:
            if known.get(call.sid, (None, "intended"))[1] in OPEN_ATTEMPT:
                self._push(call.created_at, BEGIN, (books.carrier, call))

    def run(self) -> None:
        deeds: dict[int, Callable[..., None]] = {END: self._end, BEGIN: self._begin, TEXT: self._text}
        while self._ahead:
            at, rank, _, what = heapq.heappop(self._ahead)
            deeds[rank](at, *what)

    def _push(self, at: datetime | None, rank: int, what: Any) -> None:
        heapq.heappush(self._ahead, (at or self._now, rank, next(self._order), what))

    def _text(self, at: datetime, carrier: str, record: MessageRecord) -> None:
        message = Inbound(carrier=carrier, carrier_sid=record.sid, sender=record.sender, body=record.body, opt_out=None)
        try:
            with tracing.span("intake", about=tracing.person(number=record.sender)) as own:
                # What came before was answered once, as far as anybody knows: its reply is looked up, then sent.
                answer = intake.accept(
                    message=message,
                    received_at=at,
                    trace_context=own,
                    snooze_seconds=self._policy.snooze_seconds,
                    answers=at <= self._stopped_at + recovery.CLOCK_SLACK,
                )
                tracing.note(outcome=answer.outcome, **tracing.ids(reminder=answer.reminder_id))
        except intake.Conflict:
            breaks.open_break(promise="P6", kind="message_differs", subject=("message", record.sid), detail={}, at=at)
            return
        self.rebuilt.fetched += 1

    def _begin(self, at: datetime, carrier: str, call: CallRecord) -> None:
        known = self._known.get((carrier, call.sid))
        attempt_id = known[0] if known else self._attempt(at, carrier, call)
        if attempt_id is None:
            if self._is_missing(at):
                self._stranger(at, call)
        elif call.status in CALL_ENDS:
            self._push(max(at, call.ended_at or at), END, (carrier, call, attempt_id))
        else:
            self.rebuilt.going_on += 1  # its own timer looks it up
            if call.status == "in-progress":  # it had its words before, or is given them again
                words = Evidence(carrier_sid=call.sid, answered_at=call.started_at or at, words_at=at)
                outcomes.fold(attempt_id=attempt_id, evidence=words, policy=self._policy, carrier=carrier, now=at)

    def _attempt(self, at: datetime, carrier: str, call: CallRecord) -> UUID | None:
        """The attempt that a call is: one that is known here, or a new one of what was due then."""
        told = self._told.get(call.sid)
        standing = first(
            statements.run("rebuild_standing", {"number": call.to, "told_id": told.attempt_id if told else None})
        )
        if told is not None and standing is not None and standing["told_known"]:
            return self._bound(told.attempt_id, at, carrier, call)
        if standing is not None and standing["id"] is not None:
            if standing["carrier_sid"] is not None or at < standing["intended_at"] - recovery.CLOCK_SLACK:
                return None  # another call to this person goes on, by the same books, or is still to come
            if told is None and standing["carrier"] == carrier and self._may_be(standing["intended_at"], at):
                return self._bound(standing["id"], at, carrier, call)
            self._not_placed(standing["id"], at, carrier)
        elif not self._is_missing(at):
            return None
        return self._placed(told.attempt_id if told else uuid7(), at, carrier, call)

    def _is_missing(self, at: datetime) -> bool:
        """Whether a call of then that is unknown here was lost; an older one was unknown before, and named then."""
        return at >= self._moment - recovery.CLOCK_SLACK

    def _may_be(self, intended_at: datetime, at: datetime) -> bool:
        horizon = timedelta(seconds=self._policy.lookup_horizon_seconds)
        return at <= intended_at + horizon

    def _bound(self, attempt_id: UUID, at: datetime, carrier: str, call: CallRecord) -> UUID | None:
        over = call.status in CALL_ENDS  # when one that goes on rang, its record does not say (recovery.evidence)
        proof = Evidence(carrier_sid=call.sid, ringing_at=call.started_at if over else None)
        try:
            outcomes.fold(attempt_id=attempt_id, evidence=proof, policy=self._policy, carrier=carrier, now=at)
        except outcomes.NoSuchAttempt:
            return None
        return attempt_id

    def _not_placed(self, attempt_id: UUID, at: datetime, carrier: str) -> None:
        """The next call to the person began, so this one was concluded before: there was no call of it."""
        outcomes.conclude_unsent(
            attempt_id=attempt_id,
            reason="rebuilt",
            rejected=False,
            lost=False,
            at_once=True,
            policy=self._policy,
            carrier=carrier,
            now=at,
            state=AttemptState.NOT_PLACED,
        )

    def _placed(self, attempt_id: UUID, at: datetime, carrier: str, call: CallRecord) -> UUID | None:
        params = {
            "attempt_id": attempt_id,
            "carrier": carrier,
            "carrier_sid": call.sid,
            "number": call.to,
            "created_at": at,
            "slack_seconds": recovery.CLOCK_SLACK.total_seconds(),
            "trace_context": tracing.new(),
        }
        with transaction.atomic():
            row = first(statements.run("rebuild_call", params))
            if row is None:
                return None
            hold = charges.NewHold(
                attempt_id=attempt_id,
                occurrence_id=row["occurrence_id"],
                account_id=row["account_id"],
                bucket=row["bucket"],
                at=row["at"],
            )
            charges.reserve(holds=[hold])
        self.rebuilt.placed += 1
        return attempt_id

    def _end(self, at: datetime, carrier: str, call: CallRecord, attempt_id: UUID) -> None:
        told = self._told.get(call.sid)
        proofs = [
            Evidence(carrier_sid=call.sid, answered_at=call.started_at or at, pressed=key)
            for key in (told.pressed if told else "")
            if key in KEYS
        ]
        self.rebuilt.keys += len(proofs)
        end = recovery.evidence(record=call, now=at)
        if end.answered_at is not None and (told is None or told.had_words):  # where nobody says: as it mostly is
            end = replace(end, words_at=end.answered_at)
        for proof in (*proofs, end):
            try:
                outcomes.fold(attempt_id=attempt_id, evidence=proof, policy=self._policy, carrier=carrier, now=at)
            except outcomes.NoSuchAttempt:
                self._stranger(at, call)
                return
        self.rebuilt.ended += 1

    def _stranger(self, at: datetime, call: CallRecord) -> None:
        """A call for which nothing was due here: named as audit names it, charged to nobody."""
        self.rebuilt.strangers.append((call.sid, call.to))
        detail = {"created_at": at.isoformat(), "rebuilt": True}
        breaks.open_break(promise="P6", kind="call_unknown", subject=("call", call.sid), detail=detail, at=at)


def _known(carrier: str, calls: Sequence[CallRecord]) -> dict[str, tuple[UUID, str]]:
    rows = statements.run("rebuild_known", {"carrier": carrier, "sids": [one.sid for one in calls]}).fetchall()
    return {sid: (id_, state) for sid, id_, state in rows}


def _missing(books: Gathered) -> list[MessageRecord]:
    sids = [record.sid for record in books.texts]
    rows = statements.run("known_messages", {"carrier": books.carrier, "sids": sids}).fetchall()
    if rows:
        prove()  # what is known is not fetched again
    known = {sid for (sid,) in rows}
    return [record for record in books.texts if record.sid not in known]


async def _told(carrier: Carrier, sids: Sequence[str]) -> dict[str, Told]:
    gate = asyncio.Semaphore(limits.REBUILD_ASKED_TOGETHER_MAX)

    async def ask(sid: str) -> tuple[str, Told | None]:
        async with gate:
            try:
                return sid, await carrier.told(sid)
            except CarrierError:
                return sid, None  # not yet, or never: who releases is told of it

    return {sid: found for sid, found in await asyncio.gather(*map(ask, sids)) if found is not None}
