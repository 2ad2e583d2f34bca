"""What comes out of the spool is accepted once, as of when it was received, and confirmed once, by us."""

from typing import Final

import pytest

from reminders import intake
from reminders.carriers.base import Inbound
from tests.environment import SERVICE_NUMBER
from tests.world import promises
from tests.world.carrier import Text
from tests.world.world import World

PERSON: Final = "+12025550101"
TEA: Final = "Remind me in 1 minute about tea"


def _texted(world: World, body: str) -> Inbound:
    """A text that the carrier keeps, and whose webhook somebody else takes."""
    sid, now = world.carrier.sid("SM"), world.clock.now
    text = Text(
        sid=sid,
        sender=PERSON,
        to=SERVICE_NUMBER,
        body=body,
        created_at=now.replace(microsecond=0),
        listed_at=now,
        inbound=True,
        status="received",
        answered=200,
    )
    world.carrier.texts.append(text)
    return Inbound(carrier="twilio", carrier_sid=sid, sender=PERSON, body=body, opt_out=None)


def _told(world: World) -> list[str]:
    return [text.body for text in world.carrier.texts if text.to == PERSON]


@pytest.mark.parametrize("body", [TEA, "LIST", "blah"])
def test_it_sends_the_reply_by_itself_where_nobody_waits_for_the_answer(world: World, body: str) -> None:
    message = _texted(world, body)
    received_at = world.clock.now
    world.clock.step(40)
    intake.accept(message=message, received_at=received_at, trace_context="", answers=False)
    assert world.rows("SELECT state, handed_over_at, sends FROM reminders_reply") == [("intended", None, 0)]
    again = intake.accept(message=message, received_at=world.clock.now, trace_context="")
    assert (again.repeated, again.body) == (True, None), "its timer sends it: nobody else may"
    world.turn()
    (told,) = _told(world)
    again = intake.accept(message=message, received_at=world.clock.now, trace_context="")
    assert (again.repeated, again.body) == (True, None)
    world.run()
    assert _told(world)[0] == told
    assert len([one for one in _told(world) if one == told]) == 1
    promises.assert_kept(world)
