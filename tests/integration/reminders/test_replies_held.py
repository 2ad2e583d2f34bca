"""Texts of ours that a carrier refuses for our set-up: held until that is mended, sent once. For the person's: not."""

from typing import Final
from uuid import UUID

import pytest

from reminders import limits, recovery
from reminders.carriers.base import CarrierError, RefusedUs, Rejected
from tests.world.points import Crash
from tests.world.world import POLICY, World

TEA: Final = "Remind me in 1 minute about tea"
PERSON: Final = "+12025550107"
WRONG_TOKEN: Final = Rejected("401/20003", locked_out=True)


def waiting(world: World) -> UUID:
    """A text of ours that its timer has yet to send."""
    world.text(PERSON, TEA)
    world.carrier.agenda.clear()
    world.carrier.texts = [text for text in world.carrier.texts if text.inbound]
    world.see.execute("UPDATE reminders_reply SET state = 'intended', handed_over_at = NULL")
    ((reply,),) = world.rows("SELECT id FROM reminders_reply")
    assert isinstance(reply, UUID)
    return reply


def tended(world: World, reply: UUID) -> str:
    return recovery.tend_reply(reply_id=reply, carrier=world.carrier, policy=POLICY)


def left(world: World, reply: UUID) -> int:
    """How often it left."""
    return sum(text.reply == reply for text in world.carrier.texts)


@pytest.mark.parametrize("error", [WRONG_TOKEN, Rejected("400/21606", ours=True), RefusedUs("401/20003")], ids=str)
def test_it_is_held_until_our_set_up_is_mended_and_then_leaves_once(world: World, error: CarrierError) -> None:
    reply = waiting(world)
    world.carrier.refuse_text = lambda _: error
    assert tended(world, reply) == "held"
    ((again,),) = world.rows("SELECT due_at FROM reminders_timer WHERE kind = 'reply'")
    assert (again - world.clock.now).total_seconds() == limits.REPLY_HELD_AGAIN_SECONDS[0]
    world.run(seconds=300)  # more often than it may be sent
    assert world.rows("SELECT state, error, sends FROM reminders_reply") == [("intended", error.reason, 0)]
    assert left(world, reply) == 0
    world.carrier.refuse_text = lambda _: None
    world.run(seconds=limits.REPLY_HELD_AGAIN_SECONDS[1] + 1)
    assert left(world, reply) == 1
    world.run(seconds=300)
    assert world.rows("SELECT state FROM reminders_reply WHERE id = %s", reply) == [("sent",)]
    assert left(world, reply) == 1


def test_it_is_given_up_at_once_where_the_carrier_refuses_the_person(world: World) -> None:
    reply = waiting(world)
    world.carrier.refuse_text = lambda _: Rejected("400/21610")
    assert tended(world, reply) == "undelivered"
    assert world.rows("SELECT state, error FROM reminders_reply") == [("undelivered", "400/21610")]
    assert world.rows("SELECT count(*) FROM reminders_timer WHERE kind = 'reply'") == [(0,)]


def test_it_is_given_up_with_the_carriers_reason_once_it_was_held_for_long(world: World) -> None:
    reply = waiting(world)
    world.carrier.refuse_text = lambda _: WRONG_TOKEN
    world.clock.step(limits.REPLY_HELD_SECONDS_MAX - 1)
    assert tended(world, reply) == "held"
    world.clock.step(1)
    assert tended(world, reply) == "undelivered"
    assert world.rows("SELECT state, error FROM reminders_reply") == [("undelivered", "401/20003")]


def test_it_is_not_sent_to_somebody_who_said_stop_meanwhile(world: World) -> None:
    reply = waiting(world)
    world.carrier.refuse_text = lambda _: WRONG_TOKEN
    assert tended(world, reply) == "held"
    world.carrier.refuse_text = lambda _: None
    world.see.execute("UPDATE reminders_subscriber SET stopped_at = now()")
    assert tended(world, reply) == "undelivered"
    assert left(world, reply) == 0


def test_it_leaves_once_where_the_worker_died_before_it_was_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed over, as far as the row knows: looked up, found absent, and sent again."""
    reply = waiting(world)
    world.carrier.refuse_text = lambda _: WRONG_TOKEN

    def die(*_: object) -> None:
        raise Crash("before it is held")

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "_hold", die)
        assert not world.live(lambda: tended(world, reply))
    assert world.rows("SELECT state FROM reminders_reply") == [("handed_over",)]
    world.carrier.refuse_text = lambda _: None
    world.run(seconds=600)
    assert world.rows("SELECT state FROM reminders_reply WHERE id = %s", reply) == [("sent",)]
    assert left(world, reply) == 1
