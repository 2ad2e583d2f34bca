"""A series says what became of each experiment, never skips one in silence, and does not reuse what disappointed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.lab import series
from deploy.lab.experiment import Experiment, Load
from deploy.lab.series import Options, Series
from deploy.lab.subject import DidNotStartError
from deploy.lab.trial import NotHere, NotSteady


def wanted(name: str, **more: Any) -> Experiment:
    words: dict[str, Any] = {"title": name, "claim": "c", "promises": ("P1",), "tiers": ("durable",), "expect": {}}
    return Experiment(**{**words, "name": name, "load": Load(), "faults": (), **more})


class Played(Series):
    """A series whose systems and trials are played: `results` says what each trial does, `starts` what each start."""

    def __init__(self, directory: Path, results: dict[str, Any], *, starts: bool = True) -> None:
        super().__init__(Options(tier="durable", seed=1, port=1, reports=directory))
        self.started = 0
        self.results = results
        self._starts = starts

    @contextmanager
    def _system(self, wanted: Experiment) -> Iterator[Any]:
        self.started += 1
        if not self._starts:
            raise DidNotStartError("no port")
        yield SimpleNamespace()

    def _keep(self, found: Any, system: Any) -> None:
        listed = self.outcome.as_expected if found.is_as_expected else self.outcome.not_as_expected
        listed.append(found.name)


@pytest.fixture(autouse=True)
def trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that do what the series under test says."""

    class Stub:
        def __init__(self, *, wanted: Experiment, subject: Any, **_: Any) -> None:
            self.name = wanted.name

        def run(self) -> Any:
            result = RESULTS[self.name]
            if isinstance(result, Exception):
                raise result
            return SimpleNamespace(is_as_expected=result, name=self.name)

    monkeypatch.setattr(series, "Trial", Stub)
    monkeypatch.setattr(series, "Catalogue", lambda _: None)


RESULTS: dict[str, Any] = {}


def run(directory: Path, results: dict[str, Any], experiments: list[Experiment], *, starts: bool = True) -> Played:
    RESULTS.clear()
    RESULTS.update(results)
    played = Played(directory, results, starts=starts)
    played.run(experiments)
    return played


def test_it_runs_neighbours_on_one_system(tmp_path: Path) -> None:
    played = run(tmp_path, {"a": True, "b": True}, [wanted("a"), wanted("b")])
    assert (played.started, played.outcome.as_expected, played.outcome.code) == (1, ["a", "b"], 0)


def test_it_starts_another_where_links_or_settings_differ(tmp_path: Path) -> None:
    others = [wanted("a"), wanted("b", links=True), wanted("c", settings={"X": "1"})]
    assert run(tmp_path, {"a": True, "b": True, "c": True}, others).started == 3


def test_it_does_not_reuse_a_system_that_disappointed(tmp_path: Path) -> None:
    played = run(tmp_path, {"a": False, "b": True}, [wanted("a"), wanted("b")])
    assert (played.started, played.outcome.not_as_expected, played.outcome.code) == (2, ["a"], 1)


def test_it_says_what_could_not_be_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = {"a": NotHere("no standby runs"), "b": NotSteady("2 of 6 were not rung"), "c": True}
    played = run(tmp_path, results, [wanted("a"), wanted("b"), wanted("c"), wanted("d", tiers=("replicated",))])
    assert played.outcome.not_here == {"a": "no standby runs", "d": "made for replicated"}
    assert played.outcome.not_tried == {"b": "2 of 6 were not rung"}
    assert (played.outcome.as_expected, played.outcome.code) == (["c"], 2)
    said = capsys.readouterr().out
    assert all(words in said for words in ("no standby runs", "not steady before", "made for replicated"))


def test_it_goes_on_where_a_system_does_not_start(tmp_path: Path) -> None:
    played = run(tmp_path, {}, [wanted("a"), wanted("b")], starts=False)
    assert played.outcome.not_tried.keys() == {"a", "b"}
    assert played.outcome.code == 2
