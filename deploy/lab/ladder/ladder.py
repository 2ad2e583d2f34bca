"""The ladder itself: each tier's nines beside its costs, as a table, as docs/reference/nines.md and in the README.

`measured.json` is the data, the pages are drawn from it and from `events.toml`: a test draws them anew and compares.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from deploy.lab.bench.report import replaced
from deploy.lab.figures import TIERS
from deploy.lab.ladder import climb, yearly
from deploy.lab.ladder.climb import Record
from deploy.lab.ladder.events import Event, Year
from deploy.lab.ladder.tally import Tally
from deploy.lab.ladder.yearly import Spoilt
from deploy.local.home import REPOSITORY

DATA: Final = Path(__file__).resolve().with_name("measured.json")
PAGE: Final = REPOSITORY / "docs" / "reference" / "nines.md"
README: Final = REPOSITORY / "README.md"
BEGIN: Final = "<!-- nines: written by ./manage.py lab nines --write-docs -->"
END: Final = "<!-- end of nines -->"
FRESHNESS_SECONDS: Final = 60.0
KEEPS: Final = ("tier", "kept", "proved", "answered", "proved", "lost", "twice")
COSTS: Final = ("tier", "processes", "MiB", "idle %", "ms/reminder", "answer ms")
_HEAD: Final = """\
# The ladder of nines

What each nine of reliability costs, and how it is proved. Every tier is put through the same year: each event is caused
on a running system while people text, three books say who was failed, and what one event spoilt is multiplied by how
often it comes. `./manage.py lab nines` measures it, `--show` shows it, `--write-docs` writes this page from
`deploy/lab/ladder/measured.json`.

- **kept**: the phone rang, once, within 60 s of the due time, at the right price. **answered**: the text was answered
  2xx when it came; one that was not is fetched from the carrier's list afterwards, from the tier `durable` up.
- **nines seen** are what was counted; **proved** is what is left with 95 % confidence when the size of the sample is
  thought of. *None* bad seen is not "never": the second figure says how much is known.
- **How often** an event comes, and **how long** it lasts in earnest, is assumed, in
  [events.toml](../../deploy/lab/ladder/events.toml): change it and look again. Texts are spread evenly over the year,
  and a reminder waits {lead:g} hours from its text to its due time.
- An event that lasts is healed in the lab after less than a minute; what it still spoilt in the last third of that time
  is taken to stay spoilt until its end.
"""
_NOT_PRICED: Final = """\
## Not priced

The loss of the machine, of a disk, or of a data centre: all of a tier runs on one machine here, so its copies are not
worth what they would be on several. People's mistakes but for one bad deploy, and two events at once. What a person
costs who is woken: an event that lasts half an hour on one tier and nothing on another is where that money goes.
"""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A tier: its year, and its cost. `untold` names the events that were not tried: a year without them is none."""

    tier: str
    tallies: Mapping[str, Tally]
    not_here: Mapping[str, str]
    answered: Spoilt
    kept: Spoilt
    cost: Mapping[str, float]
    untold: Sequence[str]
    records: Sequence[Record]

    @property
    def total(self) -> Tally:
        """All of its trials together."""
        return sum(self.tallies.values(), start=Tally(trials=0))


def rungs(*, year: Year, records: Sequence[Record]) -> list[Rung]:
    """The tiers that were measured, lowest first."""
    return [_rung(year, tier, own) for tier in TIERS if (own := [one for one in records if one.tier == tier])]


def keeps(rung: Rung) -> tuple[str, ...]:
    """What a tier keeps, as KEEPS has it; a star where not every event was tried."""
    total = rung.total
    return (
        rung.tier + ("*" if rung.untold else ""),
        _nines(rung.kept.nines_seen, rung.kept.seen_seconds),
        f"{rung.kept.nines_proved:.1f}",
        _nines(rung.answered.nines_seen, rung.answered.seen_seconds),
        f"{rung.answered.nines_proved:.1f}",
        str(total.lost),
        str(total.twice),
    )


def costs(rung: Rung) -> tuple[str, ...]:
    """What a tier costs, as COSTS has it."""
    names = ("processes", "memory_mib", "idle_percent", "reminder_ms", "answer_p50_ms")
    return (rung.tier, *(_figure(rung.cost.get(name)) for name in names))


def write(*, year: Year, records: Sequence[Record]) -> list[Path]:
    """Put these records beside the ones that are kept, in the place of older ones, and draw the page."""
    kept = list({(one.tier, one.event, one.seed): one for one in [*climb.read(DATA), *records]}.values())
    DATA.write_text(climb.written(kept))
    PAGE.write_text(drawn(year=year, records=kept))
    short = first_screen(year=year, records=kept)
    README.write_text(replaced(README.read_text(), short, begin=BEGIN, end=END))
    return [DATA, PAGE, README]


def drawn(*, year: Year, records: Sequence[Record]) -> str:
    """The page."""
    found = rungs(year=year, records=records)
    parts = [_HEAD.format(lead=year.lead_seconds / 3600)]
    if not found:
        return "\n".join([*parts, "Not measured yet.", "", _NOT_PRICED])
    parts += ["## The ladder\n", *_ladder(found), ""]
    parts += ["## What one more rung buys, and costs\n", *_steps(found), ""]
    parts += ["## What each event spoilt\n", *_events(year, found), ""]
    return "\n".join([*parts, _NOT_PRICED])


def first_screen(*, year: Year, records: Sequence[Record]) -> str:
    """The ladder in as few figures as may be."""
    return "\n".join(_in_short(rungs(year=year, records=records))) + "\n"


def _in_short(found: Sequence[Rung]) -> Iterator[str]:
    yield "| tier | reminders not kept in a year | nines seen, proved | memory | processor for a reminder | answer |"
    yield "|---|--:|--:|--:|--:|--:|"
    for rung in found:
        nines = f"{_nines(rung.kept.nines_seen, rung.kept.seen_seconds)}, {rung.kept.nines_proved:.1f}"
        cost = rung.cost
        costs = (
            (f"{cost['memory_mib']:,.0f} MiB", f"{cost['reminder_ms']:.0f} ms", f"{cost['answer_p50_ms']:.0f} ms")
            if cost
            else ("–", "–", "–")
        )
        yield f"| `{rung.tier}` | {_span(rung.kept.seen_seconds)} | {nines} | {' | '.join(costs)} |"


def _rung(year: Year, tier: str, records: Sequence[Record]) -> Rung:
    found: dict[str, Tally] = {}
    for one in records:
        if one.tally is not None:
            found[one.event] = found[one.event] + one.tally if one.event in found else one.tally
    events = {event.name: event for event in year.events}
    # A trial whose undoing took so long that nobody texted in its last third has no figure.
    tallies = {name: one for name, one in found.items() if name not in events or yearly.has_sample(events[name], one)}
    cost = next((one.cost for one in records if one.cost), {})
    not_here = {one.event: one.not_here for one in records if one.tally is None}
    answered, kept = yearly.of_year(year=year, tallies=tallies, freshness_seconds=FRESHNESS_SECONDS)
    untold = [one.name for one in year.events if one.name not in tallies and one.name not in not_here]
    return Rung(
        tier=tier, tallies=tallies, not_here=not_here, answered=answered, kept=kept, cost=cost, untold=untold,
        records=records,
    )  # fmt: skip


def _ladder(found: Sequence[Rung]) -> Iterator[str]:
    yield (
        "| tier | kept: nines seen | proved | bad in a year | answered: nines seen | proved | bad in a year "
        "| lost | twice | mischarged |"
    )
    yield "|---|" + "--:|" * 9
    for rung in found:
        total = rung.total
        cells = [
            cell
            for one in (rung.kept, rung.answered)
            for cell in (_nines(one.nines_seen, one.seen_seconds), f"{one.nines_proved:.1f}", _span(one.seen_seconds))
        ]
        cells += [str(total.lost), str(total.twice), str(total.mischarged)]
        yield f"| `{rung.tier}`{'*' if rung.untold else ''} | {' | '.join(cells)} |"
    yield ""
    yield from (f"`{rung.tier}`: {_sample(rung)}" for rung in found)


def _sample(rung: Rung) -> str:
    total = rung.total
    loads = [one.load for one in rung.records if one.tally]
    missing = f" Not tried, and so not in these figures: {', '.join(rung.untold)}." if rung.untold else ""
    commits = ", ".join(sorted({f"`{one.commit}`" for one in rung.records}))
    return (
        f"{total.answered.of:,} texts in {total.trials} trials, load average {min(loads):g}–{max(loads):g}, commits "
        f"{commits}, {max(one.date for one in rung.records)}.{missing}\n"
    )


def _steps(found: Sequence[Rung]) -> Iterator[str]:
    yield "| tier | processes | memory | idle, of one processor | a reminder, text to charge | answer p50 / p99 |"
    yield "|---|--:|--:|--:|--:|--:|"
    for rung in found:
        if cost := rung.cost:
            processor = f"{cost['idle_percent']:.0f} % | {cost['reminder_ms']:.1f} ms"
            answer = f"{cost['answer_p50_ms']:.0f} / {cost['answer_p99_ms']:.0f} ms"
            yield (
                f"| `{rung.tier}` | {cost['processes']:g} | {cost['memory_mib']:,.0f} MiB | {processor} | {answer} |"
            )
    yield ""
    for lower, upper in pairwise(found):
        if lower.cost and upper.cost:
            yield f"- {_step(lower, upper)}"


def _step(lower: Rung, upper: Rung) -> str:
    memory = upper.cost["memory_mib"] - lower.cost["memory_mib"]
    processor = upper.cost["reminder_ms"] - lower.cost["reminder_ms"]
    answer = upper.cost["answer_p50_ms"] - lower.cost["answer_p50_ms"]
    spared = [
        f"{_span(before.seen_seconds)} → {_span(after.seen_seconds)} {words}"
        for words, before, after in (
            ("of reminders not kept", lower.kept, upper.kept),
            ("of texts not answered", lower.answered, upper.answered),
        )
    ]
    return (
        f"`{lower.tier}` → `{upper.tier}`: in a year {', '.join(spared)}; for {memory:+,.0f} MiB, "
        f"{processor:+.1f} ms of processor for each reminder, {answer:+.0f} ms for each answer."
    )


def _events(year: Year, found: Sequence[Rung]) -> Iterator[str]:
    yield (
        "Seconds' worth of reminders not kept / of texts not answered, of one event as long as it lasts in earnest. "
        "`–`: the tier has nothing that it could strike.\n"
    )
    yield "| event | a year | lasts | " + " | ".join(f"`{rung.tier}`" for rung in found) + " |"
    yield "|---|--:|--:|" + "--:|" * len(found)
    for event in year.events:
        lasts = _span(event.lasts_seconds) if event.lasts_seconds else "a moment"
        cells = [_event_cell(year, event, rung) for rung in found]
        yield f"| {event.title} | {event.per_year:g} | {lasts} | {' | '.join(cells)} |"


def _event_cell(year: Year, event: Event, rung: Rung) -> str:
    if event.name not in rung.tallies:
        return "–" if event.name in rung.not_here else "not tried"
    tally = rung.tallies[event.name]
    kept = yearly.kept(event=event, tally=tally, year=year, freshness_seconds=FRESHNESS_SECONDS)
    answered = yearly.answered(event=event, tally=tally, per_second=year.load.per_second)
    seen = (yearly.spoilt(terms).seen_seconds / event.per_year for terms in (kept, answered))
    return " / ".join(f"{one:,.1f}" if 0 < one < 10 else f"{one:,.0f}" for one in seen)


def _nines(nines: float, seen_seconds: float) -> str:
    return f"{nines:.1f}" if seen_seconds else "none bad"


def _span(seconds: float) -> str:
    """Seconds as a person says them."""
    if not seconds:
        return "0 s"
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} s"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:g}"
