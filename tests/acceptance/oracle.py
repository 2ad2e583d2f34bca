"""The judge: the carrier's own record against the rows, in the words of the promises. It trusts no stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from tests.acceptance.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from tests.acceptance.carrier import Phone
    from tests.acceptance.system import System

SORRY: Final = "an application error has occurred"  # the carrier's own words, where it got none
ENDS: Final = frozenset({"answered", "missed", "cancelled", "dead"})

REMINDERS: Final = """
SELECT s.number, r.number, r.state, r.version FROM reminders_reminder r
  JOIN reminders_subscriber s ON s.id = r.subscriber_id WHERE s.number = ANY (%s) ORDER BY s.number, r.number
"""
ATTEMPTS: Final = """
SELECT a.carrier_sid, a.state, a.outcome, a.occurrence_id, k.carrier_sid FROM reminders_attempt a
  JOIN reminders_subscriber s ON s.id = a.subscriber_id
  LEFT JOIN reminders_carrierkey k ON k.id = a.id WHERE s.number = ANY (%s)
"""
CHARGES: Final = """
SELECT t.kind, t.evidence FROM billing_ledgertransaction t
 WHERE EXISTS (SELECT FROM billing_entry e JOIN reminders_subscriber s ON s.account_id = e.account_id
                WHERE e.transaction_id = t.id AND s.number = ANY (%s))
"""
UNBALANCED: Final = """
SELECT transaction_id, currency, sum(amount_minor) FROM billing_entry GROUP BY 1, 2 HAVING sum(amount_minor) <> 0
"""
WAITING: Final = """
SELECT t.kind, count(*) FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id
 WHERE t.kind IN ('ring', 'look_up', 'hang_up') AND s.number = ANY (%s) GROUP BY 1
UNION ALL
SELECT 'open call', count(*) FROM reminders_opencall c JOIN reminders_subscriber s ON s.id = c.subscriber_id
 WHERE s.number = ANY (%s) HAVING count(*) > 0
UNION ALL
SELECT 'hold', count(*) FROM billing_hold h JOIN reminders_subscriber s ON s.account_id = h.account_id
 WHERE h.state = 'reserved' AND s.number = ANY (%s) HAVING count(*) > 0
"""
# A reminder's events are versions 1, 2, 3 … without a gap, and the last one is the row as it stands (P8).
HISTORY: Final = """
SELECT r.id FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id
  LEFT JOIN LATERAL (
    SELECT count(*) AS told, count(DISTINCT e.version) AS versions, min(e.version) AS first, max(e.version) AS last,
           (array_agg(e.detail ->> 'state' ORDER BY e.version DESC))[1] AS state
      FROM reminders_event e WHERE e.reminder_id = r.id AND e.version IS NOT NULL) AS h ON true
 WHERE s.number = ANY (%s)
   AND NOT coalesce(h.told = r.version AND h.versions = r.version AND h.first = 1 AND h.last = r.version
                    AND h.state = r.state, false)
"""
BREAKS: Final = "SELECT promise, kind, subject_id, detail FROM billing_break WHERE closed_at IS NULL"
# What a request could add to or take from. Timers without a person are the system's own recurring work.
COUNTED: Final = (
    "billing_account", "billing_break", "billing_entry", "billing_hold", "billing_ledgertransaction",
    "reminders_attempt", "reminders_carrierkey", "reminders_event", "reminders_message", "reminders_messagekey",
    "reminders_occurrence", "reminders_opencall", "reminders_reminder", "reminders_reply", "reminders_subscriber",
)  # fmt: skip
# Written by the system for itself, at times of its own.
ITS_OWN: Final = (
    "billing_ledgerseal",
    "reminders_lineage",
    "reminders_pace",
    "reminders_watched",
    "reminders_witness",
)
COUNTS: Final = " UNION ALL ".join(
    [f"SELECT '{name}', count(*) FROM {name}" for name in COUNTED]
    + ["SELECT 'reminders_timer', count(*) FROM reminders_timer WHERE subscriber_id IS NOT NULL"]
)
# Whatever may still change a row by itself: what is not settled, and every timer of a person but a ring far ahead.
RESTLESS: Final = """
SELECT t.kind, count(*) FROM reminders_timer t
 WHERE t.subscriber_id IS NOT NULL AND NOT (t.kind = 'ring' AND t.due_at > now() + interval '10 minutes') GROUP BY 1
UNION ALL SELECT 'reply', count(*) FROM reminders_reply WHERE state NOT IN ('sent', 'undelivered') HAVING count(*) > 0
UNION ALL SELECT 'open call', count(*) FROM reminders_opencall HAVING count(*) > 0
UNION ALL SELECT 'hold', count(*) FROM billing_hold WHERE state = 'reserved' HAVING count(*) > 0
"""


class Oracle:
    """Looks at one system from outside."""

    def __init__(self, system: System) -> None:
        self._system = system

    def await_quiet(self, phones: Iterable[Phone], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until nothing is on its way for these people: no ring, no look-up, no open call, no hold."""
        numbers = [phone.number for phone in phones]
        rows = self._system.rows

        def quiet() -> bool:
            return rows(WAITING, numbers, numbers, numbers) == []

        try:
            until(quiet, seconds=seconds, what="everything has ended")
        except AssertionError as late:
            left = rows(WAITING, numbers, numbers, numbers)
            raise AssertionError(f"{late}; left: {left}\n{self._system.said()[-6000:]}") from None

    def states(self, phones: Iterable[Phone]) -> Counter[str]:
        """How many reminders are in which state."""
        return Counter(row[2] for row in self._system.rows(REMINDERS, [phone.number for phone in phones]))

    def breaks(self) -> list[tuple[Any, ...]]:
        """What Ringback itself has found broken."""
        return self._system.rows(BREAKS)

    def charges(self, phones: Iterable[Phone]) -> Counter[str]:
        """How many charges of which kind."""
        return Counter(row[0] for row in self._system.rows(CHARGES, [phone.number for phone in phones]))

    def await_still(self) -> None:
        """Wait until nothing of anybody's is on its way, so that only a request can change a count."""
        until(lambda: self._system.rows(RESTLESS) == [], seconds=PATIENCE_SECONDS, what="nothing moves by itself")

    def counts(self) -> dict[str, int]:
        """The rows of every table that is about people: a request changed nothing where they are the same."""
        return dict(self._system.rows(COUNTS))

    def judge(self, phones: Iterable[Phone]) -> None:
        """AssertionError with every promise that is not kept to these people, who have nothing on its way."""
        phones = list(phones)
        numbers = [phone.number for phone in phones]
        calls = [c for c in self._system.carrier.calls() if c["to"] in set(numbers)]
        attempts = self._system.rows(ATTEMPTS, numbers)
        complaints = [
            *self._ended(numbers),
            *_rung_once(calls, attempts),
            *self._charged(numbers, phones),
            *(f"P4: {row} does not sum to zero" for row in self._system.rows(UNBALANCED)),
            *(f"P8: the events of {row[0]} are not its row" for row in self._system.rows(HISTORY, numbers)),
        ]
        assert complaints == []

    def _ended(self, numbers: list[str]) -> list[str]:
        reminders = self._system.rows(REMINDERS, numbers)
        silent = sorted(set(numbers) - {row[0] for row in reminders})
        return [f"P1: {number} has no reminder" for number in silent] + [
            f"P2: #{number} of {phone} is {state}" for phone, number, state, _ in reminders if state not in ENDS
        ]

    def _charged(self, numbers: list[str], phones: list[Phone]) -> list[str]:
        """One charge for each call that was picked up and spoke."""
        found = self._system.rows(CHARGES, numbers)
        charged = Counter(evidence.get("carrier_sid") for kind, evidence in found if kind == "call")
        calls = [call for phone in phones for call in phone.shown["calls"] if call["direction"] == "out"]
        spoke = Counter(call["sid"] for call in calls if any(SORRY not in sentence for sentence in call["heard"]))
        return [f"P4: {sid} was charged {charged[sid]} times, not {spoke[sid]}" for sid in charged | spoke
                if charged[sid] != spoke[sid]]  # fmt: skip


def _rung_once(calls: list[dict[str, Any]], attempts: list[tuple[Any, ...]]) -> list[str]:
    """Every call is that of exactly one attempt, and every attempt has at most one call."""
    bound = Counter(row[0] for row in attempts if row[0] is not None)
    made = Counter(call["sid"] for call in calls)
    return [f"P3: the carrier made {sid} {made[sid]} times for {bound[sid]} attempts" for sid in bound | made
            if bound[sid] != made[sid]]  # fmt: skip
