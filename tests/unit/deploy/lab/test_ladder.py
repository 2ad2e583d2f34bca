"""The ladder of nines: what is counted, what it comes to in a year, how sure that is, and the page that says so."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab import report
from deploy.lab.experiment import Load
from deploy.lab.faults import catalogue
from deploy.lab.ladder import climb, events, ladder, yearly
from deploy.lab.ladder.climb import Notebook, Record
from deploy.lab.ladder.events import Event, Year
from deploy.lab.ladder.tally import Share, Tally, counted, parsed
from deploy.lab.ladder.yearly import Term, spoilt
from deploy.lab.load import ACCEPTED, REFUSED, Promise
from deploy.lab.oracle import Finding, Judgement, Ring
from deploy.lab.series import Options, Outcome
from deploy.lab.trial import Band
from tests.unit.test_tidy import text_of

CRASH = Event(name="crash", title="It dies", fault="worker-killed", per_year=10)
OUTAGE = Event(name="outage", title="It hangs", fault="worker-frozen", per_year=2, seconds=30, lasts_seconds=1_830)
YEAR = Year(lead_seconds=1_000, load=Load(per_second=5), events=(CRASH, OUTAGE))


def promise(number: int, *, sent: float, due_in: int = 5, answer: str = ACCEPTED) -> Promise:
    return Promise(
        number=f"+{number}", subject="tea", phase="during", scheduled_at=sent, due_in=due_in, sid=f"SM{number}",
        sent_at=sent, answer=answer,
    )  # fmt: skip


def band(began: float = 100.0, ended: float = 130.0) -> Band:
    return Band(name="worker-frozen", target="worker-1", how="", began_at=began, ended_at=ended)


def judged(promises: Sequence[Promise], late: dict[int, float | None], wronged: Sequence[int] = ()) -> Judgement:
    """Each promise rings as late as `late` says (0 s), or never where it says None."""
    rings = []
    for one in promises:
        seconds = late.get(int(one.number), 0.0)
        if one.answer == ACCEPTED and seconds is not None:
            rings.append(Ring(number=one.number, phase="during", due_at=one.due_at, ringing_at=one.due_at + seconds))
    findings = [Finding(kind="twice", number=f"+{number}", words="") for number in wronged]
    return Judgement(findings=findings, rings=rings, answers={})


def tally(promises: Sequence[Promise], judgement: Judgement, *, taken: Sequence[str] = (), of: Any = None) -> Tally:
    return counted(promises=promises, judgement=judgement, taken=taken, band=of or band(), freshness_seconds=60)


def test_it_counts_who_was_not_answered_and_who_was_not_rung() -> None:
    promises = [promise(1, sent=140), promise(2, sent=141, answer=REFUSED), promise(3, sent=142), promise(4, sent=143)]
    found = tally(promises, judged(promises, {3: 61.0}, wronged=[4]))
    assert (found.answered, found.kept) == (Share(bad=1, of=4), Share(bad=3, of=4))
    assert (found.lost, found.twice) == (0, 1)


def test_what_was_refused_and_is_fetched_afterwards_is_kept() -> None:
    promises = [promise(1, sent=140, answer=REFUSED), promise(2, sent=141, answer=REFUSED)]
    found = tally(promises, judged(promises, {}), taken=["SM1"])
    assert (found.answered.bad, found.kept.bad) == (2, 1)


def test_what_was_accepted_before_and_never_rings_is_forgotten_and_counted_once() -> None:
    promises = [promise(1, sent=98), promise(2, sent=98), promise(3, sent=90), promise(4, sent=131)]
    found = tally(promises, judged(promises, {1: None, 4: None}))
    assert found.pending == Share(bad=1, of=2), "3 was due before it began"
    assert found.kept == Share(bad=1, of=4), "4 was not waiting; 1 is counted as forgotten"


def test_what_is_still_bad_in_the_last_third_is_told_apart_from_what_was_mended() -> None:
    mended = [promise(1, sent=105, answer=REFUSED), promise(2, sent=125), promise(3, sent=99, due_in=23)]
    found = tally(mended, judged(mended, {}))
    assert (found.still_answered, found.still_rung) == (Share(bad=0, of=1), Share(bad=0, of=1))
    held = [promise(1, sent=125, answer=REFUSED), promise(2, sent=99, due_in=23)]
    found = tally(held, judged(held, {2: 10.0}))
    assert (found.still_answered.bad, found.still_taken.bad, found.still_rung.bad) == (1, 1, 1)


def test_an_event_of_a_moment_has_no_last_third() -> None:
    promises = [promise(1, sent=101)]
    assert tally(promises, judged(promises, {}), of=band(100, 101)).still_answered == Share()


def test_tallies_add_up_and_come_back_from_json() -> None:
    promises = [promise(1, sent=98), promise(2, sent=125, answer=REFUSED)]
    one = tally(promises, judged(promises, {}))
    two = one + one
    assert (two.trials, two.answered) == (2, Share(bad=2, of=4))
    assert parsed(two.plain()) == two


def test_a_crash_spoils_what_was_counted_as_often_as_it_comes() -> None:
    # 5 texts a second: 10 bad ones are 2 s of texts; ten times a year.
    found = Tally(answered=Share(bad=10, of=100), kept=Share(of=100), pending=Share(of=20))
    terms = yearly.answered(event=CRASH, tally=found, per_second=5)
    assert spoilt(terms).seen_seconds == pytest.approx(20)
    assert spoilt(yearly.answered(event=CRASH, tally=found + found, per_second=5)).seen_seconds == pytest.approx(20)


def test_what_a_rung_forgets_is_forgotten_for_everybody_who_waits() -> None:
    found = Tally(answered=Share(of=100), kept=Share(of=100), pending=Share(bad=5, of=20))
    seen = spoilt(yearly.kept(event=CRASH, tally=found, year=YEAR, freshness_seconds=60)).seen_seconds
    assert seen == pytest.approx(10 * 0.25 * 1_000)


def test_an_outage_goes_on_for_as_long_as_it_lasts_where_nothing_mended_it() -> None:
    whole = Share(bad=50, of=50)
    found = Tally(
        answered=Share(bad=150, of=250), kept=Share(of=250), pending=Share(of=50),
        still_answered=whole, still_taken=Share(of=50), still_rung=whole,
    )  # fmt: skip
    answered = spoilt(yearly.answered(event=OUTAGE, tally=found, per_second=5)).seen_seconds
    assert answered == pytest.approx(2 * (150 / 5 + 1_800))
    kept = spoilt(yearly.kept(event=OUTAGE, tally=found, year=YEAR, freshness_seconds=60)).seen_seconds
    assert kept == pytest.approx(2 * (1_830 - 60)), "what is due in the last minute rings within the freshness"


def test_without_a_sample_there_is_no_figure() -> None:
    with pytest.raises(ValueError, match="nobody was there"):
        yearly.answered(event=OUTAGE, tally=Tally(answered=Share(of=9), kept=Share(of=9)), per_second=5)


def test_nothing_bad_in_a_sample_proves_what_the_rule_of_three_says() -> None:
    found = spoilt([Term(count=0, weight=2.0), Term(count=0, weight=100.0)])
    assert found.seen_seconds == 0
    assert found.most_seconds == pytest.approx(300, rel=0.02)


def test_the_upper_limit_is_that_of_a_poisson_count_where_all_weigh_the_same() -> None:
    # Exact 95 % upper limits of 1, 5 and 20 counts: 4.744, 10.513, 29.062.
    for count, most in ((1, 4.744), (5, 10.513), (20, 29.062)):
        assert spoilt([Term(count=count, weight=1.0)]).most_seconds == pytest.approx(most, rel=0.01)


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.01, 1e6)), min_size=1, max_size=12), st.floats(0.1, 1e4))
def test_more_is_never_proved_than_was_seen(pairs: list[tuple[int, float]], more: float) -> None:
    terms = [Term(count=count, weight=weight) for count, weight in pairs]
    found = spoilt(terms)
    assert found.most_seconds >= found.seen_seconds
    assert found.nines_proved <= found.nines_seen
    assert spoilt([*terms, Term(count=1, weight=more)]).seen_seconds > found.seen_seconds


def test_every_event_is_a_fault_of_the_catalogue_on_every_tier_and_somebody_is_there_to_see_it() -> None:
    year = events.read()
    known = {fault.name for fault in catalogue()}
    assert {event.fault for event in year.events} <= known
    for tried in year.experiments()[1:]:
        fault = tried.faults[0]
        assert fault.at * tried.load.per_second > 30, f"{tried.name}: nobody waits yet when it begins"
        assert tried.load.seconds > fault.ends + 5, f"{tried.name}: nobody texts when it is over"
        if fault.seconds:
            assert tried.load.due_in[1] >= fault.at + fault.seconds, f"{tried.name}: nobody is due at its end"


def test_an_event_that_cannot_be_priced_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "events.toml"
    words = 'lead_seconds = 1\n[load]\n[[events]]\nname = "a"\ntitle = "a"\nfault = "worker-frozen"\nper_year = 1\n'
    place.write_text(words + "lasts_seconds = 9\n")
    with pytest.raises(ValueError, match="stand together"):
        events.read(place)


def record(event: str = "crash", *, tier: str = "durable", seed: int = 1, **more: Any) -> Record:
    found = Tally(answered=Share(bad=1, of=100), kept=Share(of=100), pending=Share(of=20))
    words = {"commit": "c", "date": "2026-01-01", "load": 1.0, "tally": found}
    return Record(tier=tier, event=event, seed=seed, **{**words, **more})


def test_the_notebook_keeps_each_trial_once(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "nines.json")
    notebook.add(record())
    notebook.add(record(load=2.0))
    notebook.add(record("outage", tally=None, not_here="there is none"))
    again = Notebook(tmp_path / "nines.json")
    assert again.records == climb.read(tmp_path / "nines.json")
    assert len(again.records) == 2


def test_a_year_with_an_event_that_was_not_tried_says_so() -> None:
    (rung,) = ladder.rungs(year=YEAR, records=[record()])
    assert rung.untold == ["outage"]
    assert ladder.keeps(rung)[0] == "durable*"
    page = ladder.drawn(year=YEAR, records=[record()])
    assert "not in these figures: outage" in page
    assert "| not tried |" in page


def test_an_event_that_nobody_was_there_to_see_is_not_in_the_figures() -> None:
    (rung,) = ladder.rungs(year=YEAR, records=[record(), record("outage")])
    assert rung.untold == ["outage"]


def test_what_a_tier_has_nothing_of_to_strike_costs_it_nothing() -> None:
    records = [record(), record("outage", tally=None, not_here="no dispatcher runs")]
    (rung,) = ladder.rungs(year=YEAR, records=records)
    assert not rung.untold
    assert "| – |" in ladder.drawn(year=YEAR, records=records)


def test_the_first_screen_says_what_was_measured() -> None:
    said = text_of("README.md").partition(ladder.BEGIN)[2].partition(ladder.END)[0]
    assert said.strip() == ladder.first_screen(year=events.read(), records=climb.read(ladder.DATA)).strip()


def test_the_reference_says_what_was_measured() -> None:
    drawn = ladder.drawn(year=events.read(), records=climb.read(ladder.DATA))
    assert text_of("docs/reference/nines.md") == drawn, "write it anew: ./manage.py lab nines --show --write-docs"


def test_a_climb_goes_on_where_it_stopped_and_begins_anew_at_another_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[str, int, str]] = []

    class Played(climb.Climb):
        def run(self, experiments: Sequence[Any]) -> Any:
            tried.extend((self._options.tier, self._options.seed, one.name) for one in experiments)
            return Outcome()

    monkeypatch.setattr(climb, "Climb", Played)
    monkeypatch.setattr(report, "commit", lambda: "c")
    notebook = Notebook(tmp_path / "nines.json")
    notebook.add(record("crash"))
    notebook.add(record("outage", commit="older"))
    options = Options(tier="", seed=1, port=1, reports=tmp_path)
    failed = climb.climb(
        year=YEAR, tiers=["durable"], names=["crash", "outage"], trials=2, options=options, notebook=notebook,
        say=lambda _: None,
    )  # fmt: skip
    assert failed == 0
    assert tried == [("durable", 1, "nines-outage"), ("durable", 2, "nines-crash"), ("durable", 2, "nines-outage")]


COST = {
    "processes": 8, "memory_mib": 600.0, "idle_percent": 9.0, "reminder_ms": 12.0, "answer_p50_ms": 10.0,
    "answer_p99_ms": 30.0, "texts": 150,
}  # fmt: skip


def test_it_says_what_one_more_rung_buys_and_costs() -> None:
    good = Tally(answered=Share(of=100), kept=Share(of=100), pending=Share(of=20))
    upper = {**COST, "memory_mib": 1_100.0, "reminder_ms": 15.5, "answer_p50_ms": 12.0}
    records = [
        record(), record("nothing", cost=COST),
        record(tier="replicated", tally=good), record("nothing", tier="replicated", tally=good, cost=upper),
    ]  # fmt: skip
    year = Year(lead_seconds=1_000, load=YEAR.load, events=(CRASH,))
    page = ladder.drawn(year=year, records=records)
    assert "`durable` → `replicated`: in a year 0 s → 0 s of reminders not kept, 2.0 s → 0 s of texts" in page
    assert "for +500 MiB, +3.5 ms of processor for each reminder, +2 ms for each answer" in page
    short = ladder.first_screen(year=year, records=records)
    assert "| `replicated` | 0 s | none bad, 4.3 | 1,100 MiB | 16 ms | 12 ms |" in short
