"""What is not known is looked up, never sent blindly again: calls over the horizon, replies before each sending."""

from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest

from reminders import housekeeping, limits, outcomes, reconcile, recovery, tasks
from reminders.carriers.base import Evidence, Unavailable, Unknown
from reminders.states import Kind, Outcome
from tests.world import promises
from tests.world.carrier import Call, Fate
from tests.world.points import Crash
from tests.world.world import POLICY, World

TEA: Final = "Remind me in 1 minute about tea"
PERSON: Final = "+12025550101"
SILENT: Final = Fate(end="no-answer", lose=frozenset({"ringing", "no-answer"}))
HORIZON: Final = timedelta(seconds=POLICY.lookup_horizon_seconds)


def _unknown(world: World) -> UUID:
    """An attempt whose request had no answer, and left no call."""
    world.carrier.refuse_call = lambda _: Unknown("500")
    world.text(PERSON, TEA)
    world.clock.step(60)
    world.turn()
    world.carrier.refuse_call = lambda _: None
    (attempt, state) = world.rows("SELECT id, state FROM reminders_attempt")[0]
    assert state == "unknown"
    assert isinstance(attempt, UUID)
    return attempt


def _call(world: World, attempt: UUID, *, ago: float = 0.0) -> Call:
    """A call in the carrier's books that nobody here knows of."""
    created = world.clock.now - timedelta(seconds=ago)
    call = Call(
        sid=world.carrier.sid("CA"),
        to=PERSON,
        attempt=attempt,
        created_at=created.replace(microsecond=0),
        listed_at=created,
        fate=SILENT,
        ring_seconds=30,
        status="ringing",
        ringing_at=created,
    )
    world.carrier.calls.append(call)
    return call


def _look_up(world: World, attempt: UUID) -> str:
    return recovery.look_up(
        attempt_id=attempt, carrier=world.carrier, policy=POLICY, looker=world.clock.looker(), now=world.clock.now
    )


def _state(world: World, attempt: UUID) -> str:
    return str(world.rows("SELECT state FROM reminders_attempt WHERE id = %s", attempt)[0][0])


def test_it_concludes_not_placed_only_after_the_horizon_by_looks_spread_over_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = _unknown(world)
    intended_at = world.clock.now
    looked: list[float] = []
    calls_to = world.carrier.calls_to

    async def counted(number: str, *, since: object) -> object:
        looked.append((world.clock.now - intended_at).total_seconds())
        return await calls_to(number, since=since)  # type: ignore[arg-type]

    monkeypatch.setattr(world.carrier, "calls_to", counted)
    while _state(world, attempt) == "unknown":
        world.clock.step(0.5)
        world.turn()
    assert _state(world, attempt) == "not_placed"
    assert world.clock.now - intended_at >= HORIZON
    assert len(looked) > limits.LOOK_UPS_MIN
    assert looked[0] <= HORIZON.total_seconds() / 2
    assert max(two - one for one, two in pairwise(looked)) <= HORIZON.total_seconds() / 2
    assert world.rows("SELECT state, tries FROM reminders_reminder") == [("scheduled", 0)]
    assert world.rows("SELECT state FROM billing_hold") == [("voided",)]


def test_it_measures_the_horizon_on_the_lookers_clock_not_by_the_time_of_day(world: World) -> None:
    attempt = _unknown(world)
    for _ in range(10):
        assert _look_up(world, attempt) == "absent"
    world.clock.monotonic_offset_seconds -= 3600  # the day's clock leaps an hour, the monotonic one does not
    world.clock.step(3600)
    assert _look_up(world, attempt) == "absent"
    world.clock.step(POLICY.lookup_horizon_seconds)
    assert _look_up(world, attempt) == "not_placed"


def test_what_a_slow_look_up_concludes_is_claimed_at_once(world: World) -> None:
    """Its clock was read before the carrier answered: the scan may have gone past that instant by then."""
    attempt = _unknown(world)
    for _ in range(limits.LOOK_UPS_MIN - 1):
        world.clock.step(POLICY.lookup_horizon_seconds / 2)
        assert _look_up(world, attempt) == "absent"
    asked_at = world.clock.now
    world.clock.step(2 * limits.LOW_WATER_MARGIN_SECONDS)
    world.claimer.claim(monotonic=world.clock.monotonic())
    assert world.claimer._low_water["rings"] > asked_at
    found = recovery.look_up(
        attempt_id=attempt, carrier=world.carrier, policy=POLICY, looker=world.clock.looker(), now=asked_at
    )
    assert found == "not_placed"
    _, claimed = world.claimer.claim(monotonic=world.clock.monotonic())
    assert [row.kind for row in claimed] == ["ring"]


def test_it_begins_the_horizon_anew_on_another_boot(world: World) -> None:
    attempt = _unknown(world)
    for _ in range(3):
        _look_up(world, attempt)
        world.clock.step(5)
    world.clock.reboot()
    world.clock.step(POLICY.lookup_horizon_seconds + 100)
    assert _look_up(world, attempt) == "absent"
    for _ in range(2):
        world.clock.step(POLICY.lookup_horizon_seconds / 3)
        assert _look_up(world, attempt) == "absent"
    world.clock.step(POLICY.lookup_horizon_seconds / 3 + 1)
    assert _look_up(world, attempt) == "not_placed"


def test_it_binds_the_one_call_that_it_finds(world: World) -> None:
    attempt = _unknown(world)
    call = _call(world, attempt)
    assert _look_up(world, attempt) == "going_on"
    assert world.rows("SELECT carrier_sid FROM reminders_carrierkey WHERE id = %s", attempt) == [(call.sid,)]


def test_it_leaves_out_calls_that_are_older_than_the_intent_or_bound_to_others(world: World) -> None:
    attempt = _unknown(world)
    _call(world, attempt, ago=10)
    bound = _call(world, attempt)
    world.see.execute("INSERT INTO reminders_carrierkey VALUES (gen_random_uuid(), 'twilio', %s)", [bound.sid])
    assert _look_up(world, attempt) == "absent"


def test_it_opens_a_break_and_binds_nothing_where_calls_cannot_be_told_apart(world: World) -> None:
    attempt = _unknown(world)
    for _ in range(2):
        _call(world, attempt)
    assert _look_up(world, attempt) == "ambiguous"
    assert _look_up(world, attempt) == "ambiguous"
    assert _state(world, attempt) == "unknown"
    assert world.rows("SELECT promise, kind FROM billing_break") == [("P3", "calls_not_told_apart")]
    assert world.rows("SELECT * FROM reminders_carrierkey WHERE id = %s", attempt) == []


def test_calls_that_cannot_be_told_apart_for_a_day_make_a_dead_letter_and_hold_up_nobody(world: World) -> None:
    attempt = _unknown(world)
    for _ in range(2):
        _call(world, attempt)
    world.clock.step(limits.UNKNOWN_SECONDS_MAX - 1)
    assert _look_up(world, attempt) == "ambiguous"
    assert world.rows("SELECT attempt_id FROM reminders_opencall") == [(attempt,)]
    world.clock.step(1)
    assert _look_up(world, attempt) == "not_placed"
    assert world.rows("SELECT state FROM reminders_reminder") == [("dead",)]
    assert world.rows("SELECT reason FROM reminders_attempt") == [("not_told_apart",)]
    assert world.rows("SELECT state FROM billing_hold") == [("voided",)]
    assert world.rows("SELECT FROM reminders_opencall") == []


@pytest.mark.parametrize(("passes", "looks", "left"), [(True, 1, [1, 1]), (False, 3, [])])
def test_look_ups_end_with_their_lease_and_what_is_left_comes_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, passes: bool, looks: int, left: list[int]
) -> None:
    """Of a slow carrier; the control: where no time passes meanwhile, one worker makes them all."""
    world.carrier.fate_of = lambda _: SILENT
    for number in range(3):
        world.text(f"+1202555010{number}", TEA)
    world.clock.step(60)
    world.turn()
    world.clock.step(outcomes.watch_seconds(POLICY))
    looked, look_up = [0], recovery.look_up

    def slow(**given: Any) -> str:
        looked[0] += 1
        world.clock.step(POLICY.lease_seconds if passes else 0)
        return look_up(**given)

    monkeypatch.setattr(recovery, "look_up", slow)
    monkeypatch.setattr(tasks, "time", SimpleNamespace(monotonic=world.clock.monotonic))
    (bell,) = world.dispatch()
    assert (bell.kind, len(bell.ids)) == (Kind.LOOK_UP, 3)
    world.attend(bell)
    assert looked == [looks]
    assert [len(bell.ids) for bell in world.dispatch()] == left


def test_a_pass_over_the_carriers_books_is_not_begun_beside_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may outlast its lease: then its timer is claimed once more."""
    again: list[tuple[float | None, bool]] = []

    def attend(*, kind: Kind, **_: Any) -> float:
        again.append(tasks._attend_one(kind, housekeeping.key_of(kind), UUID(int=1)))
        return 7.0

    monkeypatch.setattr(housekeeping, "attend", attend)
    for _ in range(2):
        assert tasks._attend_one(Kind.RECONCILE, housekeeping.key_of(Kind.RECONCILE), UUID(int=1)) == (7.0, False)
    assert again == [(limits.BACKFILL_SECONDS, False)] * 2


def test_it_counts_no_look_that_could_not_be_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = _unknown(world)

    async def away(number: str, *, since: object) -> object:
        raise Unavailable("connection")

    monkeypatch.setattr(world.carrier, "calls_to", away)
    for _ in range(10):
        world.clock.step(POLICY.lookup_horizon_seconds)
        assert _look_up(world, attempt) == "failed"
    assert world.rows("SELECT look_ups FROM reminders_attempt") == [(0,)]
    assert _state(world, attempt) == "unknown"


def test_it_ends_a_call_that_nobody_reported_as_over(world: World) -> None:
    world.carrier.fate_of = lambda _: SILENT if len(world.carrier.calls) < 1 else Fate(press="1")
    world.text(PERSON, TEA)
    world.run()
    assert world.rows("SELECT state FROM reminders_reminder") == [("answered",)]
    assert world.rows("SELECT outcome FROM reminders_attempt ORDER BY id") == [("no_answer",), ("answered",)]


def test_it_asks_nobody_about_a_call_whose_end_is_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever folded it died before it was concluded, and the carrier is away since."""
    world.carrier.fate_of = lambda _: SILENT
    world.text(PERSON, TEA)
    world.clock.step(60)
    world.turn()
    ((attempt,),) = world.rows("SELECT id FROM reminders_attempt")
    words = Evidence(words_at=world.clock.now, answered_at=world.clock.now, pressed="9")
    outcomes.fold(attempt_id=attempt, evidence=words, policy=POLICY, carrier="twilio", now=world.clock.now)

    def dies(**_: object) -> None:
        raise Crash

    end = Evidence(call_status=Outcome.ANSWERED)
    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "conclude", dies)
        with pytest.raises(Crash):
            outcomes.fold(attempt_id=attempt, evidence=end, policy=POLICY, carrier="twilio", now=world.clock.now)
    assert _state(world, attempt) == "in_call"

    async def away(_: str) -> object:
        raise Unavailable("connection")

    monkeypatch.setattr(world.carrier, "fetch_call", away)
    assert _look_up(world, attempt) == "over"
    assert world.rows("SELECT state, outcome FROM reminders_attempt") == [("ended", "answered")]
    assert world.rows("SELECT stopped_at IS NOT NULL FROM reminders_subscriber") == [(True,)]
    promises.history_gives_the_rows(world)


def test_it_hangs_up_a_call_whose_attempt_was_given_up(world: World) -> None:
    attempt = _unknown(world)
    while _state(world, attempt) == "unknown":
        world.clock.step(1)
        _look_up(world, attempt)
    call = _call(world, attempt)
    world.carrier._call_back(call, "in-progress")
    world.carrier.act()
    world.turn()
    assert call.over
    assert ("P3", "rang_after_given_up") in world.rows("SELECT promise, kind FROM billing_break")


def test_it_tries_to_hang_up_seldomer_and_for_a_day_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.carrier.fate_of = lambda _: SILENT
    world.text(PERSON, TEA)
    world.run(seconds=60)
    world.turn()
    (attempt,) = world.rows("SELECT id FROM reminders_attempt")[0]

    async def away(_: str) -> None:
        raise Unavailable("connection")

    monkeypatch.setattr(world.carrier, "hang_up", away)

    def again(*, after: float) -> float | None:
        return recovery.hang_up(
            attempt_id=attempt,
            since=world.clock.now - timedelta(seconds=after),
            carrier=world.carrier,
            policy=POLICY,
            looker=world.clock.looker(),
            now=world.clock.now,
        )

    assert [again(after=seconds) for seconds in (0, 2, 60, 3600)] == [1, 1, 30, 300]
    assert again(after=limits.UNKNOWN_SECONDS_MAX - 1) == 300
    assert again(after=limits.UNKNOWN_SECONDS_MAX) is None
    world.see.execute("UPDATE reminders_attempt SET carrier_sid = NULL, state = 'unknown'")
    assert again(after=60) == 30


def test_it_asks_seldomer_for_a_reply_that_the_carrier_does_not_know_by_its_own_id(world: World) -> None:
    world.text(PERSON, "Remind me in 3 days about tea")
    world.carrier.agenda.clear()
    world.see.execute("UPDATE reminders_reply SET state = 'unknown', carrier_sid = 'SM-nobodys'")
    (reply,) = world.rows("SELECT id FROM reminders_reply")[0]
    waits = []
    for seconds in (1, 599, 86_400 - 601):
        world.clock.step(seconds)
        assert recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY) == "failed"
        ((due_at,),) = world.rows("SELECT due_at FROM reminders_timer WHERE kind = 'reply'")
        waits.append((due_at - world.clock.now).total_seconds())
    assert waits == [60, 300, 3600]
    world.clock.step(1)
    assert recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY) == "undelivered"
    assert world.rows("SELECT error FROM reminders_reply") == [("sid_not_known",)]


def test_it_finds_a_reply_that_left_and_sends_it_no_second_time(world: World) -> None:
    world.text(PERSON, TEA)
    world.carrier.agenda.clear()  # its status callback is lost
    (sent,) = [text for text in world.carrier.texts if not text.inbound]
    sent.status = "delivered"
    world.run(seconds=limits.REPLY_LOOK_UP_SECONDS + 1)
    assert world.rows("SELECT state, carrier_sid FROM reminders_reply") == [("sent", sent.sid)]
    assert len([text for text in world.carrier.texts if not text.inbound]) == 1


def test_it_sends_a_reply_only_after_it_was_absent_at_every_look(world: World) -> None:
    world.text(PERSON, TEA)
    world.carrier.agenda.clear()
    world.carrier.texts = [text for text in world.carrier.texts if text.inbound]
    (reply,) = world.rows("SELECT id FROM reminders_reply")[0]
    found = [recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY) for _ in range(3)]
    assert found == ["absent"] * (limits.LOOK_UPS_MIN - 1) + ["sent"]
    assert len([text for text in world.carrier.texts if not text.inbound]) == 1


def test_a_reply_that_could_not_be_asked_for_in_a_day_is_undelivered_and_asked_for_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.text(PERSON, "Remind me in 3 days about tea")
    world.carrier.agenda.clear()
    (reply,) = world.rows("SELECT id FROM reminders_reply")[0]

    async def away(**_: object) -> object:
        raise Unavailable("connection")

    monkeypatch.setattr(world.carrier, "messages", away)
    world.clock.step(limits.UNKNOWN_SECONDS_MAX - 1)
    assert recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY) == "failed"
    world.clock.step(1)
    assert recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY) == "undelivered"
    assert world.rows("SELECT state, error FROM reminders_reply") == [("undelivered", "carrier_not_asked")]
    assert world.rows("SELECT FROM reminders_timer WHERE kind = 'reply'") == []


def test_it_sends_nothing_to_a_person_who_said_stop(world: World) -> None:
    world.text(PERSON, TEA)
    world.see.execute("UPDATE reminders_subscriber SET stopped_at = now()")
    world.see.execute("UPDATE reminders_reply SET state = 'intended'")
    before = len(world.carrier.texts)
    (reply,) = world.rows("SELECT id FROM reminders_reply")[0]
    assert recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY) == "undelivered"
    assert world.rows("SELECT state, error FROM reminders_reply") == [("undelivered", "stopped")]
    assert len(world.carrier.texts) == before


def test_it_fetches_a_message_whose_webhook_was_missed_as_of_when_it_came(world: World) -> None:
    text = world.carrier.take_text(to="+12025550100", body=TEA, reply=None)
    text.sender, text.inbound = PERSON, True
    came_at = world.clock.now
    since = came_at - timedelta(hours=1)
    early = reconcile.reconcile(carrier=world.carrier, policy=POLICY, since=since, now=world.clock.now)
    assert world.rows("SELECT * FROM reminders_message") == []
    world.clock.step(limits.WEBHOOK_SECONDS)
    for _ in range(2):
        reconcile.reconcile(carrier=world.carrier, policy=POLICY, since=since, now=world.clock.now)
    assert early.messages == 1
    assert world.rows("SELECT received_at FROM reminders_message") == [(came_at,)]
    assert world.rows("SELECT due_at FROM reminders_reminder") == [(came_at + timedelta(minutes=1),)]


def test_it_folds_an_end_that_no_callback_told(world: World) -> None:
    world.carrier.fate_of = lambda _: SILENT
    world.text(PERSON, TEA)
    world.clock.step(60)
    world.turn()
    (call,) = world.carrier.calls
    call.status, call.ended_at = "no-answer", world.clock.now
    since = world.clock.now - timedelta(hours=1)
    for seconds, folded in ((limits.WEBHOOK_SECONDS - 1, 0), (1, 1), (60, 0)):
        world.clock.step(seconds)
        found = reconcile.compare_calls(carrier=world.carrier, policy=POLICY, since=since, now=world.clock.now)
        assert (found.calls, found.folded, found.unknown, found.finished) == (1, folded, 0, True)
    assert world.rows("SELECT state, outcome FROM reminders_attempt") == [("ended", "no_answer")]


def test_it_opens_a_break_for_a_call_that_nobody_here_knows_of(world: World) -> None:
    world.text(PERSON, TEA)
    call = _call(world, UUID(int=7))
    since = world.clock.now - timedelta(hours=1)
    opened = "SELECT promise, kind, subject_id FROM billing_break"
    for seconds, breaks in ((limits.OVERDUE_SECONDS, 0), (HORIZON.total_seconds() + 1, 1), (60, 1)):
        world.clock.step(seconds)
        reconcile.compare_calls(carrier=world.carrier, policy=POLICY, since=since, now=world.clock.now)
        assert world.rows(opened) == [("P6", "call_unknown", call.sid)] * breaks


def test_it_dials_once_where_every_reply_to_a_request_is_lost(world: World) -> None:
    world.carrier.lose_call = lambda _request: True
    world.text(PERSON, TEA)
    world.run()
    assert len(world.carrier.calls) == 1
    assert world.rows("SELECT state FROM reminders_reminder") == [("answered",)]


def test_what_cannot_be_concluded_is_a_dead_letter_and_holds_nobody_up(world: World) -> None:
    world.text(PERSON, TEA)
    world.text(PERSON, "Remind me in 2 minutes about milk")
    world.see.execute("UPDATE reminders_reminder SET zone = 'Nowhere/Else' WHERE subject = 'tea'")
    world.carrier.fate_of = lambda call: SILENT if call.to == PERSON else Fate()
    world.run(seconds=1800)
    states = world.rows("SELECT subject, state FROM reminders_reminder ORDER BY subject")
    assert states == [("milk", "scheduled"), ("tea", "ringing")]  # the notice of what was missed needs the zone
    world.text("+12025550177", "Remind me in 1 minute about others")  # whose call can be concluded
    world.run()
    states = world.rows("SELECT subject, state FROM reminders_reminder ORDER BY subject")
    assert states == [("milk", "missed"), ("others", "answered"), ("tea", "dead")]
    holds = world.rows(
        "SELECT h.state FROM reminders_attempt a JOIN billing_hold h ON h.id = a.id WHERE a.reason = 'poison'"
    )
    assert holds == [("voided",)]
