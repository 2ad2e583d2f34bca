"""What fires: a condition that holds for long enough, one page a cause, and no page for one failure at night."""

from dataclasses import replace

from config.observing.alerting import Evaluator, Spent
from config.observing.slos import Alert, Burn, LookedFor, Slo


def alert(
    name: str, *, above: float | None = None, below: float | None = None, silenced_by: tuple[str, ...] = ()
) -> Alert:
    return Alert(
        name=name, severity="page", promise="P5", slo="freshness", metric=name.lower(), label="", above=above,
        below=below, for_seconds=10, says=f"{name} says so.", silenced_by=silenced_by, echo_seconds=75,
    )  # fmt: skip


LOOKED_FOR = LookedFor(
    slos=(Slo(name="freshness", title="On time", promise="P5", target=0.999, days=30, public=True, good="it is"),),
    alerts=(alert("Away", below=1), alert("Overdue", above=20, silenced_by=("Away",))),
    burns=(
        Burn(
            severity="page",
            factor=14.4,
            long_seconds=3600,
            short_seconds=300,
            for_seconds=0,
            echo_seconds=600,
            events_floor=3,
        ),
        Burn(
            severity="ticket",
            factor=3,
            long_seconds=86400,
            short_seconds=7200,
            for_seconds=0,
            echo_seconds=7500,
            events_floor=3,
        ),
    ),
    keep_seconds=0,
)


def fired(
    looks: list[tuple[float, dict[str, float]]], burns: dict[int, float] | None = None, *, bad: int = 3, keep: float = 0
) -> dict[str, str]:
    """After these looks: what fires, and by what it is silenced. `burns`: the rate by window, of so many bad events."""
    evaluator = Evaluator(replace(LOOKED_FOR, keep_seconds=keep))
    spent = {seconds: Spent(rate=rate, bad=bad) for seconds, rate in (burns or {}).items()}
    firing = []
    for at, values in looks:
        looked = {name: {"": value} for name, value in values.items()}
        firing = evaluator.look(looks=looked, burns={"freshness": spent}, at=at)
    return {one.name: one.silenced_by for one in firing}


def test_it_fires_once_the_condition_has_held_for_its_time() -> None:
    assert fired([(0, {"overdue": 30})]) == {}
    assert fired([(0, {"overdue": 30}), (9, {"overdue": 30})]) == {}
    assert fired([(0, {"overdue": 30}), (10, {"overdue": 30})]) == {"Overdue": ""}


def test_it_begins_anew_where_the_condition_ended_in_between() -> None:
    assert fired([(0, {"overdue": 30}), (8, {"overdue": 20}), (12, {"overdue": 30})]) == {}


def test_it_ends_with_its_condition() -> None:
    assert fired([(0, {"overdue": 30}), (10, {"overdue": 30}), (15, {"overdue": 0})]) == {}


def test_one_that_flutters_goes_on_for_a_while_and_is_one_page() -> None:
    bad, well = {"overdue": 30.0}, {"overdue": 0.0}
    assert fired([(0, bad), (10, bad), (30, well)], keep=20) == {"Overdue": ""}
    assert fired([(0, bad), (10, bad), (30, {}), (35, bad)], keep=20) == {"Overdue": ""}
    assert fired([(0, bad), (10, bad), (31, well)], keep=20) == {}
    assert fired([(0, bad), (9, bad), (14, well)], keep=20) == {}


def test_what_was_not_seen_is_not_bad() -> None:
    assert fired([(0, {}), (60, {})]) == {}


def test_the_page_of_a_cause_silences_its_symptoms() -> None:
    both = {"away": 0.0, "overdue": 30.0}
    assert fired([(0, both), (10, both)]) == {"Away": "", "Overdue": "Away"}


def test_a_cause_that_has_ended_silences_what_looks_back_over_a_minute_and_no_longer() -> None:
    both, after = {"away": 0.0, "overdue": 30.0}, {"away": 1.0, "overdue": 30.0}
    assert fired([(0, both), (10, both), (15, after)]) == {"Overdue": "Away"}
    assert fired([(0, both), (10, both), (15, after), (86, after)]) == {"Overdue": ""}
    well = {"away": 1.0, "overdue": 0.0}
    assert fired([(0, both), (10, both), (15, well), (70, after), (80, after)]) == {"Overdue": "Away"}
    assert fired([(0, both), (10, both), (15, well), (80, after), (90, after)]) == {"Overdue": ""}


def test_a_budget_that_burns_in_both_windows_pages_unless_a_symptom_does() -> None:
    fast: dict[int, float] = {3600: 20.0, 300: 20.0}
    assert fired([(0, {})], fast) == {"FreshnessBudgetBurnsFast": ""}
    assert fired([(0, {"away": 0.0}), (10, {"away": 0.0})], fast) == {"Away": "", "FreshnessBudgetBurnsFast": "Away"}
    assert fired([(0, {})], {3600: 20.0, 300: 1.0}) == {}


def test_a_budget_that_burns_does_not_page_again_for_what_a_symptom_paged_and_pages_after_that() -> None:
    fast: dict[int, float] = {3600: 20.0, 300: 20.0}
    outage = [(0.0, {"away": 0.0}), (10.0, {"away": 0.0})]
    assert fired([*outage, (600, {"away": 1.0})], fast) == {"FreshnessBudgetBurnsFast": "Away"}
    assert fired([*outage, (611, {"away": 1.0})], fast) == {"FreshnessBudgetBurnsFast": ""}


def test_a_cause_of_a_cause_silences_as_well() -> None:
    deep = replace(LOOKED_FOR, alerts=(*LOOKED_FOR.alerts, alert("Late", above=0, silenced_by=("Overdue",))))
    evaluator = Evaluator(deep)
    for at in (0, 10):
        found = evaluator.look(looks={"away": {"": 0.0}, "late": {"": 1.0}}, burns={}, at=at)
    assert [(one.name, one.silenced_by) for one in found] == [("Away", ""), ("Late", "Away")]


def test_one_that_is_started_anew_goes_on_where_the_one_before_stopped() -> None:
    before, after = Evaluator(LOOKED_FOR), Evaluator(LOOKED_FOR)
    for at in (0, 10, 20):
        before.look(looks={"away": {"": 0.0}}, burns={}, at=at)
    after.recall(fired=before.remembers(at=30), firing={"Overdue": 40}, at=1030)
    (one,) = after.look(looks={"overdue": {"": 30.0}}, burns={}, at=1030)
    assert (one.name, one.since, one.silenced_by) == ("Overdue", 990, "Away")
    assert before.remembers(at=20 + 7501) == {}


def test_too_few_events_page_nobody() -> None:
    assert fired([(0, {})], {3600: 20.0, 300: 20.0}, bad=2) == {}
    assert fired([(0, {})], {3600: 20.0}) == {}


def test_a_slow_burn_is_a_ticket() -> None:
    assert fired([(0, {})], {86400: 4.0, 7200: 4.0}) == {"FreshnessBudgetBurnsSlowly": ""}
