"""The judge: three books side by side, in the words of the promises. Pure, and it trusts nobody's state.

lost: accepted, and neither rung, answered and told what was texted, nor ended in a way that the person was told of;
or told something else. twice: told more often than was asked for. late: rung later than the freshness allows without
having said so, or said so without being late by our own decision. mischarged: any charge too many, too few, or of
another amount; a call that said that it is free, or nothing, costs nothing. unresolved: still on its way when the
waiting was over. What nobody answered for (unknown) may have been taken or not; it is judged by what the books show.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import floor
from typing import Final

from deploy.lab.books import Books, Call, Charge, Reminder, by_number
from deploy.lab.load import ACCEPTED, REFUSED, UNKNOWN, UNSENT, Promise

LOST, TWICE, LATE, MISCHARGED, UNRESOLVED, DEAD = "lost", "twice", "late", "mischarged", "unresolved", "dead"
KINDS: Final = (LOST, TWICE, LATE, MISCHARGED, UNRESOLVED, DEAD)
PROMISES: Final[Mapping[str, str]] = {
    LOST: "P1", TWICE: "P3", LATE: "P5", MISCHARGED: "P4", UNRESOLVED: "P2", DEAD: "P2",
}  # fmt: skip
_WAITING: Final = ("scheduled", "ringing")
# What every call that is late says, in the load's language, and what the carrier says by itself where it got no words.
LATE_WORDS: Final = "late, so it is free"
SORRY: Final = "an application error has occurred"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One promise that was not kept to one person."""

    kind: str
    number: str
    words: str
    trace_id: str = ""

    @property
    def promise(self) -> str:
        """Which one."""
        return PROMISES[self.kind]


@dataclass(frozen=True, kw_only=True)
class Ring:
    """One promise that rang: when it was due, when its first call rang."""

    number: str
    phase: str
    due_at: float
    ringing_at: float

    @property
    def lateness_seconds(self) -> float:
        """Positive: after it was due."""
        return self.ringing_at - self.due_at


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What was found, and what was counted."""

    findings: list[Finding]
    rings: list[Ring]
    answers: Mapping[str, int]
    told_late: int = 0
    missed: int = 0
    told_refused: int = 0
    kept_unanswered: int = 0  # nobody said 2xx, and the service has it all the same

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        found = Counter(one.kind for one in self.findings)
        return {kind: found[kind] for kind in KINDS}


@dataclass(kw_only=True)
class _Seen:
    """What is counted on the way."""

    findings: list[Finding] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    told_late: int = 0
    missed: int = 0
    told_refused: int = 0
    kept_unanswered: int = 0


def judge(books: Books) -> Judgement:
    """Compare the books. Of a promise that is not due within the trial, acceptance and its charge are judged."""
    seen = _Seen()
    calls = by_number(books.calls, "to")
    reminders = by_number(books.ours.reminders)
    charges = by_number(books.ours.charges)
    promises = by_number(books.promises)
    for number in sorted({*promises, *calls, *charges}):
        person = _Person(
            books=books,
            number=number,
            promises=promises.get(number, []),
            calls=sorted(calls.get(number, []), key=lambda call: call.created_at),
            reminders=reminders.get(number, []),
            charges=charges.get(number, []),
        )
        person.judge(seen)
    answers = Counter(promise.answer for promise in books.promises)
    return Judgement(
        findings=seen.findings,
        rings=seen.rings,
        answers={answer: answers[answer] for answer in (ACCEPTED, REFUSED, UNKNOWN, UNSENT)},
        told_late=seen.told_late,
        missed=seen.missed,
        told_refused=seen.told_refused,
        kept_unanswered=seen.kept_unanswered,
    )


@dataclass(kw_only=True)
class _Person:
    """One number in all three books."""

    books: Books
    number: str
    promises: list[Promise]
    calls: list[Call]
    reminders: list[Reminder]
    charges: list[Charge]

    def judge(self, seen: _Seen) -> None:
        """What was promised to this person, against what happened to them."""
        for promise in self.promises:
            self._taken(seen, promise)
            if promise.rings and self._outcome(promise) == "reminder":
                self._rang(seen, promise)
        seen.findings += self._too_often()
        seen.findings += self._charged(seen)

    # ---- P1, P2 ----------------------------------------------------------------------------------

    def _taken(self, seen: _Seen, promise: Promise) -> None:
        outcome = self._outcome(promise)
        if promise.answer == ACCEPTED and not outcome:
            seen.findings.append(self._finding(LOST, f"answered {promise.status}, and it is in no table"))
        elif promise.answer == ACCEPTED and outcome == "refused":
            seen.told_refused += 1
        elif promise.answer != ACCEPTED and outcome:
            seen.kept_unanswered += 1

    def _rang(self, seen: _Seen, promise: Promise) -> None:
        reminder = self._reminder(promise)
        calls = self._calls_of(promise, reminder)
        first = min((call.ringing_at for call in calls if call.ringing_at is not None), default=None)
        told = [call for call in calls if _spoke(call) and promise.subject in _said(call)]
        if first is not None:
            seen.rings.append(Ring(number=self.number, phase=promise.phase, due_at=promise.due_at, ringing_at=first))
            self._late(seen, promise, reminder, told, first)
        wrong = list(self._other_words(promise, reminder, calls))
        seen.findings += wrong
        if not told and not wrong:
            self._not_told(seen, promise, reminder, calls)

    def _other_words(self, promise: Promise, reminder: Reminder | None, calls: list[Call]) -> Iterator[Finding]:
        """Calls that spoke, and not of what was texted."""
        for call in calls:
            if _spoke(call) and promise.subject not in _said(call):
                words = f"texted {promise.subject!r}, and {call.sid} said {_said(call)[:200]!r}"
                yield self._finding(LOST, words, reminder.trace_id if reminder else "")

    def _not_told(self, seen: _Seen, promise: Promise, reminder: Reminder | None, calls: list[Call]) -> None:
        state = reminder.state if reminder else "nowhere"
        trace = reminder.trace_id if reminder else ""
        if not self.books.ours.knows_attempts:
            if promise.answer == ACCEPTED:  # its rows say nothing of what became of a reminder
                seen.findings.append(self._finding(LOST, "accepted, and it never rang", trace))
        elif state in _WAITING:
            seen.findings.append(self._finding(UNRESOLVED, f"still {state} when the waiting was over", trace))
        elif state == "missed":
            seen.missed += 1
        elif state == "dead":
            seen.findings.append(self._finding(DEAD, "a dead letter", trace))
        else:
            heard = [_said(call)[:200] for call in calls if call.answered_at is not None]
            words = f"its calls said {heard}" if heard else "the carrier answered no call"
            seen.findings.append(self._finding(LOST, f"{state} by our book, and {words}", trace))

    # ---- P3 --------------------------------------------------------------------------------------

    def _too_often(self) -> Iterator[Finding]:
        if self.books.ours.knows_attempts:
            yield from self._unbound()
            for reminder in self.reminders:
                yield from self._answered_again(reminder)
        else:
            for _ in range(len(self.calls) - len(self.promises)):
                yield self._finding(TWICE, f"{len(self.calls)} calls for {len(self.promises)} texts")

    def _unbound(self) -> Iterator[Finding]:
        """A call that no attempt of ours knows was made twice, or by nobody."""
        times = Counter(call.sid for call in self.calls)
        for sid, made in times.items():
            known = 1 if sid in self.books.ours.attempts else 0
            if made != known:
                yield self._finding(TWICE, f"the carrier made {sid} {made} times for {known} attempts")

    def _answered_again(self, reminder: Reminder) -> Iterator[Finding]:
        spoke = {call.sid for call in self._bound(reminder) if _spoke(call)}
        for _ in range(len(spoke) - 1):
            yield self._finding(TWICE, f"{len(spoke)} answered calls for one reminder", reminder.trace_id)

    # ---- P4 --------------------------------------------------------------------------------------

    def _charged(self, seen: _Seen) -> Iterator[Finding]:
        ours, tariff = self.books.ours, {"sms": self.books.sms_minor, "call": self.books.call_minor}
        for charge in self.charges:
            if charge.kind in tariff and charge.amount_minor != tariff[charge.kind]:
                words = f"a {charge.kind} cost {charge.amount_minor}, not {tariff[charge.kind]}"
                seen.findings.append(self._finding(MISCHARGED, words))
        expected: Counter[str] = Counter()
        for sid in {promise.sid for promise in self.promises if promise.sid}:
            expected[sid] = int(ours.messages.get(sid, "refused") != "refused")  # what was refused is free
        yield from self._difference("sms", expected)
        yield from self._difference("call", self._calls_to_charge())

    def _calls_to_charge(self) -> Counter[str]:
        """One call of each reminder that was answered and spoke, unless it is late by our book or said so."""
        expected: Counter[str] = Counter()
        charged = {charge.sid for charge in self.charges if charge.kind == "call"}
        for calls, is_free in self._occurrences():
            spoke = [call.sid for call in calls if _spoke(call)]
            paid = next((sid for sid in spoke if sid in charged), spoke[0] if spoke else None)
            if paid is not None and not is_free and not any(_says_late(call) for call in calls):
                expected[paid] += 1
        return expected

    def _occurrences(self) -> Iterator[tuple[list[Call], bool]]:
        if self.books.ours.knows_attempts:
            yield from ((self._bound(reminder), reminder.told_late) for reminder in self.reminders)
        elif len(self.promises) == 1:
            yield self.calls, False
        else:
            yield from (([call], False) for call in self.calls)

    def _difference(self, kind: str, expected: Counter[str]) -> Iterator[Finding]:
        found = Counter(charge.sid for charge in self.charges if charge.kind == kind)
        for sid in sorted({*found, *expected}):
            if found[sid] != expected[sid]:
                words = f"{kind} {sid or 'without evidence'} charged {found[sid]} times, not {expected[sid]}"
                yield self._finding(MISCHARGED, words)

    # ---- P5 --------------------------------------------------------------------------------------

    def _late(
        self, seen: _Seen, promise: Promise, reminder: Reminder | None, told: list[Call], ringing_at: float
    ) -> None:
        """What was said, against the clock and against our decision: the words and the price read the same one.

        The clock is the carrier's time stamp, which has whole seconds.
        """
        says = any(_says_late(call) for call in told)
        decided = reminder.told_late if reminder and self.books.ours.knows_attempts else says
        freshness = self.books.freshness_seconds
        late = f"rang {ringing_at - promise.due_at:.1f} s late"
        if says:
            seen.told_late += 1
        if told and says != decided:
            words = f"{late}, late is {decided} by our book, and the call {'said so' if says else 'did not say so'}"
        elif told and not says and floor(ringing_at) - promise.due_at - promise.answer_seconds > freshness:
            words = f"{late} and did not say so"
        else:
            return
        seen.findings.append(self._finding(LATE, words, reminder.trace_id if reminder else ""))

    # ---- who belongs to whom -----------------------------------------------------------------------

    def _outcome(self, promise: Promise) -> str:
        return self.books.ours.messages.get(promise.sid, "") if promise.sid else ""

    def _reminder(self, promise: Promise) -> Reminder | None:
        return next((one for one in self.reminders if one.message_sid == promise.sid), None)

    def _bound(self, reminder: Reminder) -> list[Call]:
        return [call for call in self.calls if self.books.ours.attempts.get(call.sid) == reminder.id]

    def _calls_of(self, promise: Promise, reminder: Reminder | None) -> list[Call]:
        """By the attempts; where there are none, one person's calls are their texts' in the order of due times."""
        if self.books.ours.knows_attempts:
            return self._bound(reminder) if reminder else []
        if len(self.promises) == 1:
            return self.calls
        place = sorted(self.promises, key=lambda one: one.due_at).index(promise)
        return self.calls[place : place + 1]

    def _finding(self, kind: str, words: str, trace_id: str = "") -> Finding:
        return Finding(kind=kind, number=self.number, words=words, trace_id=trace_id)


def _said(call: Call) -> str:
    return " ".join(call.heard)


def _spoke(call: Call) -> bool:
    """Whether somebody heard words of ours: picked up, and not only the carrier's apology for having none."""
    return call.answered_at is not None and any(SORRY not in sentence for sentence in call.heard)


def _says_late(call: Call) -> bool:
    return LATE_WORDS in _said(call)
