"""Two accounts: new work goes to the one that answers, what was asked is looked up where it was asked."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

import pytest

from reminders import limits, wiring
from reminders.carriers import session
from reminders.carriers.account import Account, choose, is_elsewhere
from reminders.carriers.base import CallRequest, CarrierError, Rejected, Unavailable, Unknown
from tests.world import promises
from tests.world.carrier import Fate, ObedientCarrier
from tests.world.world import World

TEA: Final = "Remind me in 1 minute about tea"
PERSON: Final = "+12025550101"
CALL: Final = CallRequest(attempt_id=UUID(int=1), to=PERSON, ring_seconds=30)


@pytest.fixture
def second(world: World, monkeypatch: pytest.MonkeyPatch) -> ObedientCarrier:
    """The world's carrier is the first of two accounts."""
    other = ObedientCarrier(clock=world.clock, points=world.points, post=world.post, name="twilio-2")
    other._sids = iter(range(10**6, 10**7))  # type: ignore[assignment]  # a carrier's ids are its own
    monkeypatch.setattr(session, "begin", lambda probe: probe.close())
    both = tuple(
        Account(carrier=one, tell=lambda *_, **__: None, clock=world.clock.monotonic) for one in (world.carrier, other)
    )
    monkeypatch.setattr(wiring, "accounts", lambda: both)
    return other


def _dead(world: World, error: CarrierError) -> None:
    world.carrier.refuse_call = lambda _: error
    world.carrier.refuse_text = lambda _: error


def _attempts(world: World) -> list[tuple[str, str]]:
    return world.rows("SELECT carrier, state FROM reminders_attempt ORDER BY id")


def _run(world: World, second: ObedientCarrier) -> None:
    """Both accounts' agendas are the world's."""
    second.agenda = world.carrier.agenda
    second._order = world.carrier._order
    world.run()


@pytest.mark.parametrize(
    "error", [Unavailable("connection"), Unavailable("429"), Rejected("401/20003", ours=True)], ids=str
)
def test_it_calls_through_the_second_where_the_first_did_nothing_for_sure(
    world: World, second: ObedientCarrier, monkeypatch: pytest.MonkeyPatch, error: CarrierError
) -> None:
    for account in wiring.accounts():
        account._breaker.failures_max = 1
    _dead(world, error)
    world.text(PERSON, TEA)
    _run(world, second)
    assert _attempts(world) == [("twilio", "not_sent"), ("twilio-2", "ended")]
    assert (len(world.carrier.calls), len(second.calls)) == (0, 1)
    assert world.rows("SELECT state FROM reminders_reminder") == [("answered",)]


@pytest.mark.parametrize(
    "error", [Unavailable("connection"), Unavailable("429"), Rejected("401/20003", locked_out=True)], ids=str
)
def test_it_lets_nobody_wait_for_an_account_that_refuses_calls(
    world: World, second: ObedientCarrier, error: CarrierError
) -> None:
    """One refusal is enough, and who was refused goes on by the other account at once."""
    second.agenda, second._order = world.carrier.agenda, world.carrier._order
    world.carrier.refuse_call = lambda _: error
    for minutes in (1, 2):
        world.text(f"+120255501{minutes:02}", f"Remind me in {minutes} minutes about tea")
    world.run()
    assert _attempts(world) == [("twilio", "not_sent"), ("twilio-2", "ended"), ("twilio-2", "ended")]
    lateness = (
        "SELECT max(extract(epoch FROM intended_at - due_at)) FROM reminders_attempt a JOIN reminders_occurrence o"
    )
    ((seconds,),) = world.rows(f"{lateness} ON o.id = a.occurrence_id WHERE a.state = 'ended'")
    assert seconds <= limits.POLL_SECONDS


def test_it_closes_no_account_for_what_may_be_about_one_call(world: World, second: ObedientCarrier) -> None:
    """A country that is not switched on, say: who is to blame is seen when it fails again and again."""
    first = wiring.accounts()[0]
    world.carrier.refuse_call = lambda _: Rejected("400/21215", ours=True)
    for _ in range(limits.CARRIER_FAILURES_MAX):
        assert choose(wiring.carriers()) is first
        assert not is_elsewhere(wiring.carriers(), than=first)  # so its next attempt waits its turn
        with pytest.raises(Unavailable):
            session.run(first.place_call(CALL), within_seconds=5)
    assert is_elsewhere(wiring.carriers(), than=first)


def test_it_lets_them_wait_as_before_where_no_account_takes_calls(world: World, second: ObedientCarrier) -> None:
    """Handed from one to the other at once, a reminder would ask as fast as it can."""
    for one in (world.carrier, second):
        one.refuse_call = lambda _: Unavailable("429")
    world.text(PERSON, TEA)
    world.run(seconds=60 + 100)
    asked = [carrier for carrier, _ in _attempts(world)]
    assert asked[:2] == ["twilio", "twilio-2"]
    assert len(asked) <= 1 + len(limits.NOT_SENT_RETRY_SECONDS)
    assert world.rows("SELECT state FROM reminders_reminder") == [("scheduled",)]


def _refused_while_it_answers(world: World, monkeypatch: pytest.MonkeyPatch, *, seconds: int) -> int:
    """One call a second by whichever account is chosen, while the first refuses calls and answers all else.

    How many of them the first was asked for.
    """
    probes: list[Callable[[], object]] = []
    monkeypatch.setattr(session, "begin", probes.append)
    asked = []

    def refuse(request: CallRequest) -> CarrierError:
        asked.append(request.to)
        return Unavailable("429")

    world.carrier.refuse_call = refuse
    for _ in range(seconds):
        with suppress(Unavailable):
            session.run(choose(wiring.carriers()).place_call(CALL), within_seconds=5)
        world.clock.step(1)
        choose(wiring.carriers())
        while probes:
            session.run(probes.pop(), within_seconds=5)  # type: ignore[arg-type]
    return asked.count(PERSON)


def test_it_asks_an_account_that_refuses_calls_for_none_until_it_takes_them_again(
    world: World, second: ObedientCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _refused_while_it_answers(world, monkeypatch, seconds=30) == 1
    assert len(second.calls) == 29
    world.carrier.refuse_call = lambda _: None
    world.clock.step(limits.CARRIER_OPEN_SECONDS_MAX)
    probes: list[Callable[[], object]] = []
    monkeypatch.setattr(session, "begin", probes.append)
    assert choose(wiring.carriers()).name == "twilio-2"
    session.run(probes.pop(), within_seconds=5)  # type: ignore[arg-type]
    assert choose(wiring.carriers()).name == "twilio"
    assert world.carrier.calls == []  # the probe placed none


def test_negative_control_it_asks_it_again_and_again_where_reading_counts_as_taking_calls(
    world: World, second: ObedientCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in wiring.accounts():
        account._calls.failures_max = 10**9
    assert _refused_while_it_answers(world, monkeypatch, seconds=30) > 15


def test_it_goes_on_asking_the_only_account_until_our_set_up_is_mended(world: World) -> None:
    world.carrier.refuse_call = lambda _: Rejected("401/20003", ours=True)
    world.text(PERSON, TEA)
    world.run(seconds=60 + 90)
    assert world.rows("SELECT state FROM reminders_reminder") == [("scheduled",)]
    world.carrier.refuse_call = lambda _: None
    world.run()
    assert {state for _, state in _attempts(world)} == {"not_sent", "ended"}
    assert world.rows("SELECT state, tries FROM reminders_reminder") == [("answered", 1)]
    promises.assert_kept(world)


def test_it_dials_an_unknown_outcome_nowhere_else(world: World, second: ObedientCarrier) -> None:
    """The reply is lost and the account dies: it is looked up there, for as long as that takes."""
    for account in wiring.accounts():
        account._breaker.failures_max = 1
    world.carrier.lose_call = lambda _: True
    world.text(PERSON, TEA)
    _run(world, second)
    assert _attempts(world) == [("twilio", "ended")]
    assert (len(world.carrier.calls), len(second.calls)) == (1, 0)
    promises.assert_kept(world)


def test_negative_control_it_dials_twice_where_an_unknown_outcome_goes_elsewhere(
    world: World, second: ObedientCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blindly(account: Account, request: object) -> str:
        try:
            return await account._ask(lambda: account._carrier.place_call(request))  # type: ignore[arg-type]
        except Unknown as error:
            raise Unavailable(error.reason) from error

    monkeypatch.setattr(Account, "place_call", blindly)
    for account in wiring.accounts():
        account._breaker.failures_max = 1
    world.carrier.lose_call = lambda _: True
    world.text(PERSON, TEA)
    _run(world, second)
    assert (len(world.carrier.calls), len(second.calls)) == (1, 1)


def test_it_sends_a_reply_by_the_second_where_the_first_did_nothing(world: World, second: ObedientCarrier) -> None:
    second.agenda, second._order = world.carrier.agenda, world.carrier._order
    world.carrier.fate_of = second.fate_of = lambda _: Fate(end="busy")
    world.text(PERSON, TEA)
    world.carrier.refuse_text = lambda _: Unavailable("connection")
    world.run()
    assert world.rows("SELECT carrier, state, sends FROM reminders_reply WHERE kind = 'missed'") == [
        ("twilio-2", "sent", 2)
    ]
    assert [text.to for text in second.texts] == [PERSON]


def test_it_sends_a_reply_nowhere_else_while_it_is_unknown(world: World, second: ObedientCarrier) -> None:
    second.agenda, second._order = world.carrier.agenda, world.carrier._order
    world.carrier.fate_of = lambda _: Fate(end="busy")
    world.text(PERSON, TEA)
    lost = iter((Unknown("timeout"),))
    world.carrier.refuse_text = lambda _: next(lost, None)
    world.run()
    assert second.texts == []
    assert world.rows("SELECT carrier, state FROM reminders_reply WHERE kind = 'missed'") == [("twilio", "sent")]


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (Unavailable("connection"), True),
        (Unknown("timeout"), True),
        (Rejected("401/20003", ours=True), True),
        (Rejected("400/21211"), False),
    ],
    ids=str,
)
def test_it_opens_for_what_says_something_about_the_account(
    world: World, second: ObedientCarrier, error: CarrierError, opens: bool
) -> None:
    first = wiring.accounts()[0]
    world.carrier.refuse_text = lambda _: error
    for _ in range(limits.CARRIER_FAILURES_MAX):
        assert choose(wiring.carriers()) is first
        with pytest.raises(CarrierError):
            session.run(first.send_message(to=PERSON, body="", reply_id=None), within_seconds=5)  # type: ignore[arg-type]
    assert (choose(wiring.carriers()) is not first) is opens


def test_it_holds_a_request_back_where_the_breaker_is_open_and_a_probe_closes_it(
    world: World, second: ObedientCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = wiring.accounts()[0]
    probes: list[Callable[[], object]] = []
    monkeypatch.setattr(session, "begin", probes.append)
    for _ in range(limits.CARRIER_FAILURES_MAX):
        first._note(healthy=False)
    with pytest.raises(Unavailable, match="breaker"):
        session.run(first.fetch_call("CA1"), within_seconds=5)
    assert probes == [], "not yet"
    world.clock.step(limits.CARRIER_OPEN_SECONDS)
    assert choose(wiring.carriers()).name == "twilio-2"
    assert choose(wiring.carriers()).name == "twilio-2"
    (probe,) = probes
    session.run(probe, within_seconds=5)  # type: ignore[arg-type]
    assert choose(wiring.carriers()) is first


def test_it_chooses_another_while_requests_wait_and_nothing_is_answered(world: World, second: ObedientCarrier) -> None:
    first = wiring.accounts()[0]
    first._waiting[object()] = world.clock.monotonic()
    assert choose(wiring.carriers()) is first
    world.clock.step(limits.CARRIER_SLOW_SECONDS)
    assert choose(wiring.carriers()).name == "twilio-2"
    first._answered_at = world.clock.monotonic()
    assert choose(wiring.carriers()) is first


def test_it_holds_back_what_is_over_the_accounts_share(world: World, second: ObedientCarrier) -> None:
    first = wiring.accounts()[0]
    for _ in range(limits.CARRIER_CONNECTIONS_MAX):
        first._waiting[object()] = world.clock.monotonic()
    assert choose(wiring.carriers()).name == "twilio-2"
    with pytest.raises(Unavailable, match="bulkhead"):
        session.run(first.fetch_call("CA1"), within_seconds=5)
