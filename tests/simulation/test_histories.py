"""Seeded walks through whole histories: repeats, reorderings, deaths, late callbacks, clock steps, lag, lost bells, and
a worker that fails everything.

A history goes wrong for a while, then everything heals, and at its end the promises hold. A failure names its seed:
`pytest tests/simulation/test_histories.py --history SEED` walks it again; `--histories N` walks N more.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

import pytest

from reminders.carriers.base import Rejected, Unavailable, Unknown
from tests.world import promises
from tests.world.carrier import Call, Fate
from tests.world.world import World

SEEDS: Final = tuple(range(24))
STEPS: Final = 22
PEOPLE: Final = ("+12025550101", "+12025550102", "+442079460123")
BODIES: Final = (
    "Remind me in 1 minute about tea",
    "Remind me in 2 minutes about cake",
    "Remind me in 20 seconds about the door",
    "Remind me in 20 seconds about the window",
    "every 10 minutes for 3 times stretch",
    "LIST",
    "DELETE 1",
    "DELETE 2",
    "STOP",
    "START",
    "blah",
    "",
)
BODY_WEIGHTS: Final = (6, 4, 6, 4, 4, 1, 2, 1, 1, 2, 1, 1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one, more = metafunc.config.getoption("--history"), metafunc.config.getoption("--histories")
    seeds: Sequence[int] = (one,) if one is not None else (*SEEDS, *range(1000, 1000 + more))
    metafunc.parametrize("seed", seeds)


def test_it_keeps_its_promises_through_history(seed: int, world: World) -> None:
    history = History(world, random.Random(seed))
    try:
        history.walk()
        history.heal()
        promises.nobody_is_buried_for_a_worker(world)
        promises.assert_kept(world)
    except Exception as error:
        raise AssertionError(f"history {seed}: {error}\n" + "\n".join(history.told)) from error


class History:
    """One walk: at each step something is texted, breaks, or passes."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng, self.told = world, rng, []  # type: World, random.Random, list[str]
        carrier = world.carrier
        carrier.fate_of = self._fate
        carrier.refuse_call = lambda _: self._refusal()
        carrier.lose_call = lambda _: self._chance(0.1)
        carrier.refuse_text = lambda _: self._refusal()
        world.lose_doorbell = lambda _: self._chance(0.15)
        world.twice_doorbell = lambda _: self._chance(0.15)

    def walk(self) -> None:
        """Go wrong, step by step."""
        steps: tuple[tuple[Callable[[], None], int], ...] = (
            (self._text, 8),
            (self._repeat, 2),
            (self._die_soon, 3),
            (self._pass_time, 8),
            (self._step_the_clock, 1),
            (self._reboot, 1),
            (self._lag, 1),
            (self._reconcile, 1),
            (self._break_the_worker, 2),
            (self._mend_the_worker, 1),
        )
        for _ in range(STEPS):
            step = self.rng.choices([s for s, _ in steps], [w for _, w in steps])[0]
            step()

    def heal(self) -> None:
        """Everything works again, for as long as it takes."""
        world = self.world
        world.points.crash_at = None
        world.clock.skew_seconds = 0.0
        world.carrier.list_lag_seconds = 0.0
        world.carrier.refuse_call = lambda _: None
        world.carrier.refuse_text = lambda _: None
        world.carrier.lose_call = lambda _: False
        world.lose_doorbell = world.twice_doorbell = lambda _: False
        world.fails = lambda _: False
        world.run()
        world.reconcile()
        world.run()
        self.told.append(f"died at {world.crashes}")

    def _text(self) -> None:
        number, body = self.rng.choice(PEOPLE), self.rng.choices(BODIES, BODY_WEIGHTS)[0]
        self.told.append(f"{self.world.clock.now:%H:%M:%S.%f} {number} texts {body!r}")
        self.world.text(number, body)

    def _repeat(self) -> None:
        texts = [text for text in self.world.carrier.texts if text.inbound]
        if texts:
            text = self.rng.choice(texts)
            self.told.append(f"{self.world.clock.now:%H:%M:%S} {text.sid} is delivered again")
            self.world.deliver_text(text)

    def _die_soon(self) -> None:
        points = self.world.points
        points.crash_at = len(points.passed) + self.rng.randrange(40)
        self.told.append(f"dies at point {points.crash_at}")

    def _pass_time(self) -> None:
        self.world.run(seconds=self.rng.choice((0.5, 3, 10, 30, 61, 200, 700)))
        # In life each minute; each hour's messages are asked for, so it must not wait for longer.
        if self._chance(0.5):
            self.world.reconcile()

    def _step_the_clock(self) -> None:
        self.world.clock.skew_seconds = self.rng.uniform(-1.0, 1.0)

    def _reboot(self) -> None:
        self.told.append("reboots")
        self.world.die("reboot")
        self.world.clock.reboot()

    def _lag(self) -> None:
        self.world.carrier.list_lag_seconds = self.rng.choice((0.0, 2.0, 6.0))

    def _reconcile(self) -> None:
        self.world.reconcile()

    def _break_the_worker(self) -> None:
        """A defect that every intent meets: until it is mended, perhaps at the end only."""
        self.told.append(f"{self.world.clock.now:%H:%M:%S} the worker is broken")
        self.world.fails = lambda _: True

    def _mend_the_worker(self) -> None:
        self.world.fails = lambda _: False

    def _fate(self, _call: Call) -> Fate:
        rng = self.rng
        callbacks = ("ringing", "in-progress", "end", "words", "keys")
        return Fate(
            end=rng.choice(("completed", "completed", "busy", "no-answer", "failed")),
            press=rng.choice(("", "", "1", "2", "12", "9")),
            answered_by=rng.choice((None, None, "human", "unknown", "machine_start")),
            queue_seconds=rng.choice((0.0, 0.0, 4.0)),
            lose=frozenset(name for name in callbacks if self._chance(0.15)),
            twice=self._chance(0.3),
            delay_seconds=rng.choice((0.0, 0.0, 2.5, 20.0)),
            reverse=self._chance(0.3),
        )

    def _refusal(self) -> Exception | None:
        if not self._chance(0.2):
            return None
        return self.rng.choice((Unavailable("429"), Unknown("500"), Rejected("400/21211")))

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share
