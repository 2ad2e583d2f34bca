"""What a dispatcher and a worker do of a ring, step by step, so that another can come between."""

from uuid import UUID

from reminders import delivery
from reminders.delivery import Due
from reminders.dispatch import Claimed, Claimer, Doorbell
from reminders.poison import NOBODY
from reminders.states import Kind
from tests.world.world import POLICY, World


def claim(world: World, claimer: Claimer | None = None) -> tuple[UUID, list[Claimed]]:
    """The token of a claim and its rows; by a new dispatcher, where none is given."""
    return (claimer or world._claimer()).claim(monotonic=world.clock.monotonic())


def bell(world: World, claimer: Claimer | None = None) -> Doorbell:
    """The doorbell of the rings that are claimed now."""
    token, claimed = claim(world, claimer)
    return Doorbell(kind=Kind.RING, ids=tuple(row.id for row in claimed if row.kind is Kind.RING), token=token)


def take_up(rung: Doorbell) -> list[Due]:
    """A worker begins with a doorbell."""
    return delivery.take_up(timer_ids=rung.ids, token=rung.token, witness=NOBODY, trace_context="")


def intend(world: World, rung: Doorbell, dues: list[Due] | None = None) -> int:
    """How many attempts it commits the intent of: of what it took up before, else of what it takes up now."""
    taken = take_up(rung) if dues is None else dues
    looker = world.clock.looker()
    intended, _ = delivery.intend(
        dues=taken, token=rung.token, carrier=world.carrier, policy=POLICY, worker="w", looker=looker
    )
    return len(intended)
