"""A trial undoes what it did, whatever happens in between, and its verdict asks for the steady state afterwards."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from deploy.lab import books, load, trial
from deploy.lab.books import Books, Ours
from deploy.lab.experiment import Experiment, Load, Planned, Steady
from deploy.lab.load import Promise
from deploy.lab.trial import NotHere, NotSteady, Steadiness, Trial
from deploy.lab.watch import Watch

KILLS = Planned(name="worker-killed", at=0.05)
FREEZES = Planned(name="redis-frozen", at=0.1, seconds=0.1)


class Stub:
    """A system of which nothing is asked in these tests but how the phones behave."""

    def __init__(self) -> None:
        self.tier = "durable"
        self.log = None
        self.interface = {"carrier": "http://127.0.0.1:9", "web": "http://127.0.0.1:9"}

    def carrier(self, path: str, wanted: object = None) -> Any:
        return {}

    def behave(self, wanted: object) -> None:
        """Phones that do nothing."""

    def names(self) -> list[str]:
        return ["web-1", "postgres-1"]

    def readiness(self) -> str:
        return "database"


class Breaks:
    """Notes what is injected and healed; `trouble` is called at each injection."""

    def __init__(self, trouble: Callable[[], None] = lambda: None, *, heals: bool = True) -> None:
        self.deeds: list[str] = []
        self._trouble = trouble
        self._heals = heals

    def inject(self, fault: Planned) -> str:
        self.deeds.append(f"inject {fault.name}")
        self._trouble()
        return "somehow"

    def measures(self) -> dict[str, float]:
        return {"deeds": len(self.deeds)}

    def heal(self, name: str | None = None) -> None:
        self.deeds.append(f"heal {name or 'all'}")
        if not self._heals:
            raise trial.NotHealed("it stays broken")


def made(breaks: Breaks, monkeypatch: pytest.MonkeyPatch, *, steady: tuple[bool, bool] = (True, True)) -> Trial:
    """A trial on a stub, with a steady state before and after as wanted."""
    wanted = Experiment(
        name="x", title="x", claim="x", promises=("P1",), tiers=("durable",), faults=(KILLS, FREEZES), expect={},
        load=Load(per_second=100, seconds=0.02), steady=Steady(), quiet_seconds=0.1,
    )  # fmt: skip
    found = Trial(
        wanted=wanted,
        subject=Stub(),  # type: ignore[arg-type]
        breaker=breaks,
        seed=1,
        numbers=load.people(first=1),
        tell=lambda *_: None,
    )
    holds = iter(steady)
    monkeypatch.setattr(
        found, "_await_steady", lambda phase: Steadiness(holds=next(holds), seconds=1, tries=1, words=f"not {phase}")
    )
    monkeypatch.setattr(found, "_is_quiet", lambda: True)
    monkeypatch.setattr(trial, "statements_differ", lambda *_: 0)
    monkeypatch.setattr(trial, "audit", lambda _: {"promises": []})
    monkeypatch.setattr(books, "gather", lambda *_: Books(promises=[], calls=[], ours=Ours()))
    return found


def test_it_injects_in_order_heals_each_and_then_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks = Breaks()
    found = made(breaks, monkeypatch).run()
    assert breaks.deeds == [
        "inject worker-killed", "heal worker-killed", "inject redis-frozen", "heal redis-frozen", "heal all",
    ]  # fmt: skip
    assert found.is_as_expected
    assert all(band.ended_at is not None and band.began_at <= band.ended_at for band in found.bands)


def test_it_leaves_out_what_would_strike_when_nobody_texts_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Healing the first one took a minute: the second one's time has passed, and so has the last text's."""
    breaks = Breaks(lambda: put_back(60))
    one = made(breaks, monkeypatch)

    def put_back(seconds: float) -> None:
        one.found.load_at -= seconds

    found = one.run()
    assert breaks.deeds == ["inject worker-killed", "heal worker-killed", "heal redis-frozen", "heal all"]
    assert found.left_out == ["redis-frozen"]
    assert [band.name for band in found.bands] == ["worker-killed"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError, NotHere], ids=lambda problem: problem.__name__)
def test_it_undoes_everything_before_it_lets_a_problem_out(
    monkeypatch: pytest.MonkeyPatch, problem: type[BaseException]
) -> None:
    def trouble() -> None:
        raise problem

    breaks = Breaks(trouble)
    with pytest.raises(problem):
        made(breaks, monkeypatch).run()
    assert breaks.deeds == ["inject worker-killed", "heal all"]


def test_it_breaks_nothing_that_was_not_steady_before(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks = Breaks()
    with pytest.raises(NotSteady, match="not before"):
        made(breaks, monkeypatch, steady=(False, True)).run()
    assert breaks.deeds == []


def test_it_is_not_as_expected_where_the_steady_state_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(Breaks(), monkeypatch, steady=(True, False)).run()
    assert found.wrong == ["the steady state did not come back: not after"]


def test_it_is_not_as_expected_where_something_could_not_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(Breaks(heals=False), monkeypatch).run()
    assert "it stays broken" in found.wrong


def test_it_measures_the_longest_time_without_an_accepted_text_after_each_fault() -> None:
    at = [0.0, 0.1, 0.2, 1.4, 1.5, 1.6, 4.0, 4.1]
    promises = [
        Promise(number="+1", subject="", phase="during", scheduled_at=one, due_in=5, answered_at=one, answer="accepted")
        for one in at
    ]
    refused = Promise(
        number="+1", subject="", phase="during", scheduled_at=3, due_in=5, answered_at=3, answer="refused"
    )
    assert [round(gap, 3) for gap in trial.gaps_of([*promises, refused], [0.15, 1.55])] == [1.2, 2.4]
    assert [round(gap, 3) for gap in trial.gaps_of(promises, [])] == [2.4]
    assert trial.gaps_of([], [0.0]) == []


def test_it_aborts_where_too_many_in_a_row_were_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(Breaks(), monkeypatch)
    refused = [
        Promise(
            number="+1", subject="", phase="during", scheduled_at=0, due_in=5, answered_at=time.time(), answer="refused"
        )
        for _ in range(200)
    ]

    class Playing:
        promises = refused

    found.found.watch = Watch(Stub())  # type: ignore[arg-type]
    assert found._abort(Playing()) == "200 texts in a row were refused"  # type: ignore[arg-type]
    Playing.promises = refused[1:]
    assert found._abort(Playing()) == ""  # type: ignore[arg-type]
