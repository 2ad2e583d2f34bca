"""The promises, asked of a world that has come to rest: its rows against the carrier's books."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from billing.pricing import is_machine
from billing.queries import audit_p4
from reminders import limits, recurrence
from reminders.carriers.twilio import CALL_ENDS
from reminders.states import REMINDER_TRANSITIONS, ReminderState
from tests.world.world import RECURRING, World

FACTS: Final = ("state", "sequence", "due_at", "generation", "attempts", "tries", "ended_at")
FREE_KINDS: Final = ("stop", "stopped", "not_callable")


def assert_kept(world: World) -> None:
    """Every promise that one process and one database can keep. Raises AssertionError with what is broken."""
    nothing_is_lost(world)
    every_reminder_ends(world)
    nobody_is_rung_twice(world)
    nobody_is_charged_twice(world)
    late_is_free(world)
    history_gives_the_rows(world)


def nothing_is_lost(world: World) -> None:
    """P1: each text that the carrier took is kept once, and each reply is known to have arrived, once, or not."""
    kept = Counter(sid for (sid,) in world.rows("SELECT carrier_sid FROM reminders_messagekey"))
    sent = {text.sid for text in world.carrier.texts if text.inbound}
    assert kept == Counter(sent), f"kept {kept}, sent {sent}"
    told = Counter(text.reply for text in world.carrier.texts if not text.inbound)
    for reply, state, error in world.rows("SELECT id, state, error FROM reminders_reply"):
        assert state in ("sent", "undelivered"), f"reply {reply} is {state}"
        if state == "sent":
            assert told[reply] == 1, f"reply {reply} was sent {told[reply]} times"
        else:
            assert error, f"reply {reply} is undelivered without a reason"
    outbound = [text for text in world.carrier.texts if not text.inbound]
    assert len({text.reply for text in outbound}) == len(outbound), "a reply left twice"


def every_reminder_ends(world: World) -> None:
    """P2: each reminder is at an end, nothing waits for ever, who missed one was told, and no rule ends too soon."""
    open_ = world.rows("SELECT id, state FROM reminders_reminder WHERE state IN ('scheduled', 'ringing')")
    assert open_ == []
    assert world.rows("SELECT * FROM reminders_opencall") == []
    timers = world.rows("SELECT kind, key FROM reminders_timer WHERE kind <> ALL (%s)", list(RECURRING))
    assert timers == []
    untold = world.rows(
        """SELECT r.id FROM reminders_reminder r WHERE r.state = 'missed' AND NOT EXISTS
             (SELECT FROM reminders_reply p WHERE p.reminder_id = r.id AND p.kind = 'missed')"""
    )
    assert untold == []
    undecided = world.rows(
        """SELECT o.id FROM reminders_occurrence o JOIN reminders_reminder r ON r.id = o.reminder_id
            WHERE o.outcome IS NULL OR o.ended_at IS NULL"""
    )
    assert undecided == [], "occurrences without an outcome"
    attempts = world.rows(
        "SELECT id, state FROM reminders_attempt WHERE state NOT IN ('ended', 'not_sent', 'not_placed')"
    )
    assert attempts == []
    for id_, rule, rule_at, zone, ended_at in world.rows(
        """SELECT id, rrule, rule_at, zone, ended_at FROM reminders_reminder
            WHERE rrule IS NOT NULL AND state IN ('answered', 'missed')"""
    ):
        following = recurrence.following(rule=rule, rule_at=rule_at, zone=zone, after=ended_at)
        assert following is None, f"{id_} ended at {ended_at}, and was to ring at {following}"


def nobody_is_buried_for_a_worker(world: World) -> None:
    """P2: where no row is poisonous, whatever was broken meanwhile, the one at most who failed alone is a dead letter,
    for each time that others got through."""
    dead = world.rows("SELECT ended_at, due_at FROM reminders_reminder WHERE state = 'dead' ORDER BY ended_at")
    placed = [at for (at,) in world.rows("SELECT placed_at FROM reminders_attempt WHERE placed_at IS NOT NULL")]
    before = None
    for ended_at, due_at in dead:
        witnesses = [at for at in placed if at < ended_at and (before is None or at > before)]
        assert witnesses, "buried, though nobody had got through since the one before"
        assert ended_at - due_at >= timedelta(seconds=limits.ALONE_SECONDS), "buried too soon for one who was alone"
        before = ended_at


def nobody_is_rung_twice(world: World) -> None:
    """P3: one call per attempt by the carrier's books, and never two of one person at once."""
    calls = Counter(call.attempt for call in world.carrier.calls)
    assert all(count == 1 for count in calls.values()), f"rung twice for one attempt: {calls}"
    ended = dict(world.rows("SELECT id, state FROM reminders_attempt"))
    for call in world.carrier.calls:
        assert ended.get(call.attempt) == "ended", f"{call.sid} rang, its attempt is {ended.get(call.attempt)}"
    by_person: dict[str, list[tuple[Any, Any]]] = {}
    for call in world.carrier.calls:
        by_person.setdefault(call.to, []).append((call.created_at, call.ended_at))
    for spans in by_person.values():
        spans.sort()
        for (_, ended_at), (began_at, _) in pairwise(spans):
            assert began_at >= ended_at.replace(microsecond=0), "two calls of one person at once"
    bound = dict(world.rows("SELECT id, carrier_sid FROM reminders_carrierkey"))
    for call in world.carrier.calls:
        assert bound.get(call.attempt) == call.sid, f"{call.sid} is bound to nothing"


def nobody_is_charged_twice(world: World) -> None:
    """P4: one charge per accepted SMS, one per answered occurrence, none for what did not happen."""
    world.points.again(None)
    _, breaks = audit_p4(now=world.clock.now, reserved_for_max=timedelta(0))
    assert [one for one in breaks if one["kind"] != "answered_twice"] == []
    assert world.rows("SELECT id FROM billing_hold WHERE state = 'reserved'") == []
    charged = Counter(key for (key,) in world.rows("SELECT key FROM billing_ledgertransaction WHERE kind = 'sms'"))
    owed = {id_ for id_, kind in world.rows("SELECT id, kind FROM reminders_message") if kind not in FREE_KINDS}
    assert charged == Counter(owed)
    _calls_are_charged_once(world)


def late_is_free(world: World) -> None:
    """P5: lateness is what the carrier's books say of the first ring, decided once; what is late costs nothing."""
    for due_at, rang_at, lateness_ms, late, occurrence in world.rows(
        "SELECT due_at, rang_at, lateness_ms, late, id FROM reminders_occurrence WHERE lateness_ms IS NOT NULL"
    ):
        assert rang_at is not None, f"{occurrence} never rang and is {lateness_ms} ms late"
        in_full = max(0.0, (rang_at - due_at).total_seconds() * 1000)
        assert abs(lateness_ms - in_full) <= 0.5, f"{occurrence}: {rang_at}, {due_at}, {lateness_ms}"
        if late is not None:
            assert late == (lateness_ms > 60_000)
        if late:
            paid = world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'call' AND key = %s", occurrence)
            assert paid == [], f"{occurrence} was late and is charged"


def history_gives_the_rows(world: World) -> None:
    """P8: a reminder's events, in the order of its versions, give its row; each move is one that exists."""
    for row in world.rows(
        """SELECT id, version, state, sequence, extract(epoch FROM due_at), generation, attempts, tries,
                  extract(epoch FROM ended_at) FROM reminders_reminder"""
    ):
        id_, version, *now = row
        events = world.rows(
            "SELECT version, what, detail FROM reminders_event WHERE reminder_id = %s AND version IS NOT NULL"
            " ORDER BY version",
            id_,
        )
        assert [event[0] for event in events] == list(range(1, version + 1)), f"versions of {id_}: {events}"
        replayed: dict[str, Any] = {}
        for (_, what, detail), before in zip(events, [None, *events], strict=False):
            replayed.update(detail)
            if before is not None:
                was, is_ = ReminderState(before[2]["state"]), ReminderState(detail["state"])
                assert is_ in REMINDER_TRANSITIONS[was], f"{id_}: {was} → {is_} by {what}"
        assert [_same(replayed[fact]) for fact in FACTS] == [_same(value) for value in now], f"replay of {id_}"


def _calls_are_charged_once(world: World) -> None:
    paid = Counter(key for (key,) in world.rows("SELECT key FROM billing_ledgertransaction WHERE kind = 'call'"))
    assert all(count == 1 for count in paid.values())
    of_attempt = dict(world.rows("SELECT id, occurrence_id FROM reminders_attempt"))
    late = {id_ for (id_,) in world.rows("SELECT id FROM reminders_occurrence WHERE late")}
    # Of a process that died between the decision and its answer nobody knows whether the words were heard.
    given = {id_ for (id_,) in world.rows("SELECT id FROM reminders_attempt WHERE words_at IS NOT NULL")}
    silent = {id_ for (id_,) in world.rows("SELECT id FROM reminders_attempt WHERE reason = 'no_words'")}
    people = [
        call
        for call in world.carrier.calls
        if call.answered_at is not None and (not is_machine(answered_by=call.fate.answered_by) or call.pressed)
    ]
    answered = {of_attempt[call.attempt] for call in people if call.attempt not in silent}
    told = {of_attempt[call.attempt] for call in people if call.heard}
    assert not {call.attempt for call in world.carrier.calls if call.heard} & silent, "told, and held for silent"
    assert not silent & given
    picked_up = {of_attempt[call.attempt] for call in world.carrier.calls if call.answered_at is not None}
    reversed_ = {
        key
        for (key,) in world.rows(
            """SELECT charge.key FROM billing_ledgertransaction back
                 JOIN billing_ledgertransaction charge ON charge.id = back.key WHERE back.kind = 'refund'"""
        )
    }
    assert set(paid) <= picked_up, "charged for a call that nobody picked up"
    assert told - late <= set(paid), "told on time and not charged"
    assert not reversed_ & answered, "gave back what a person owes"
    assert set(paid) - reversed_ <= answered, "charged for a machine"
    assert all(call.status in CALL_ENDS for call in world.carrier.calls)


def _same(value: Any) -> Any:
    return round(float(value), 6) if value is not None and not isinstance(value, str) else value
