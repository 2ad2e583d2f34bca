"""Histories of one person, each told as a script: what they text, and what the carrier does with each request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from reminders.carriers.base import CallRequest, Rejected, Unavailable, Unknown
from tests.world.carrier import Call, Fate
from tests.world.world import World

BUSY: Final = Fate(end="busy")
IGNORED: Final = Fate(end="no-answer")
TEA_SECONDS: Final = 60.0
TEA: Final = "Remind me in 1 minute about tea"


@dataclass(kw_only=True)
class Script:
    """One person's history: `fates` of their calls in order, then answered ones; `refusals` of the first requests."""

    name: str
    tell: Callable[[World, str], None]
    fates: tuple[Fate, ...] = ()
    refusals: tuple[Exception | None, ...] = ()
    lose_calls: int = 0
    ends: tuple[str, ...] = ("answered",)
    number: str = ""
    _placed: int = field(default=0)
    _asked: int = field(default=0)
    _lost: int = field(default=0)

    def begin(self, world: World, number: str) -> None:
        """Hand the carrier its part."""
        self.number, self._placed, self._asked, self._lost = number, 0, 0, 0
        world.carrier.fate_of = self._fate
        world.carrier.refuse_call = self._refuse
        world.carrier.lose_call = self._lose

    def _fate(self, _call: Call) -> Fate:
        self._placed += 1
        return self.fates[self._placed - 1] if self._placed <= len(self.fates) else Fate()

    def _refuse(self, _request: CallRequest) -> Exception | None:
        self._asked += 1
        return self.refusals[self._asked - 1] if self._asked <= len(self.refusals) else None

    def _lose(self, _request: CallRequest) -> bool:
        self._lost += 1
        return self._lost <= self.lose_calls


def _tea(world: World, number: str) -> None:
    _text(world, number, TEA)


def _text(world: World, number: str, body: str) -> None:
    """A text that is fetched from the carrier's books, in time, where its webhook died."""
    if world.text(number, body).answered is None:
        world.reconcile()


def _stop_while_it_rings(world: World, number: str) -> None:
    began = world.clock.now
    _tea(world, number)
    world.run(seconds=TEA_SECONDS + 2 - (world.clock.now - began).total_seconds())
    _text(world, number, "STOP")


def _delete_while_it_rings(world: World, number: str) -> None:
    began = world.clock.now
    _tea(world, number)
    world.run(seconds=TEA_SECONDS + 2 - (world.clock.now - began).total_seconds())
    _text(world, number, "DELETE 1")


def _two_at_once(world: World, number: str) -> None:
    _text(world, number, TEA)
    _text(world, number, "Remind me in 1 minute about cake")


def _twice_delivered(world: World, number: str) -> None:
    text = world.text(number, TEA)
    world.deliver_text(text)
    world.run(seconds=90)
    world.deliver_text(text)


SCRIPTS: Final = (
    Script(name="it is answered and key 1 pressed", tell=_tea, fates=(Fate(press="1"),)),
    Script(
        name="it is never answered, and missed",
        tell=_tea,
        fates=(IGNORED, BUSY, Fate(end="failed")),
        ends=("missed", "answered"),
    ),
    Script(
        name="the reply to the request is lost, and every callback",
        tell=_tea,
        fates=(Fate(lose=frozenset({"ringing", "in-progress", "end"})),),
        lose_calls=1,
    ),
    Script(name="it is snoozed", tell=_tea, fates=(Fate(press="2"), Fate(press="1"))),
    Script(name="STOP comes while it rings", tell=_stop_while_it_rings, fates=(IGNORED,), ends=("cancelled",)),
    Script(name="DELETE comes while it rings", tell=_delete_while_it_rings, fates=(IGNORED,), ends=("cancelled",)),
    Script(name="key 9 ends it for good", tell=_tea, fates=(Fate(press="9"),), ends=("cancelled", "answered")),
    Script(
        name="it is not placed, looked up, and dialled again",
        tell=_tea,
        refusals=(Unknown("500"), Unavailable("429")),
    ),
    Script(name="the number is refused", tell=_tea, refusals=(Rejected("400/21211"),) * 3, ends=("missed",)),
    Script(name="two are due at once", tell=_two_at_once, fates=(Fate(press="1"), BUSY, Fate(press="1"))),
    Script(
        name="callbacks come twice and in no order",
        tell=_tea,
        fates=(Fate(press="1", twice=True, reverse=True, delay_seconds=2.0),),
    ),
    Script(
        name="a machine answers every time",
        tell=_tea,
        fates=(Fate(answered_by="machine_start"),) * 3,
        ends=("missed", "answered"),
    ),
    Script(name="the message is delivered three times", tell=_twice_delivered, fates=(Fate(press="1"),)),
)
