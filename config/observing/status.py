"""The page of nines: what each objective reached by window, with its confidence, over time. Reads only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from config.observing import truth
from config.observing.nines import Reached, reached
from config.observing.slos import LookedFor, Slo

WINDOWS: Final[Mapping[str, int]] = {"1 h": 3600, "1 d": 86400, "7 d": 7 * 86400, "30 d": 30 * 86400}
STEPS: Final = 120  # points of a curve
SIGNS: Final = {"deploy": "▲", "fault": "✕", "failover": "⇄", "alert": "!"}  # as on the curves
SINCE_DAYS_MAX: Final = truth.KEPT_DAYS
LATENESS_BOUNDS_MS: Final = (250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000)


def page(*, looked_for: LookedFor, at: datetime, since: datetime, public: bool) -> dict[str, Any]:
    """Everything that the page shows at `at`, as JSON can hold it: objectives by window, curves since `since`, marks.

    `public` leaves out what only staff may see. Raises the database's errors.
    """
    slos = [slo for slo in looked_for.slos if slo.public or not public]
    drill = max(60, round((at - since).total_seconds()))
    counted = {(one.slo, one.seconds): one for one in truth.windows(at=at, seconds=[*WINDOWS.values(), drill])}

    def told(slo: Slo, seconds: int) -> dict[str, Any]:
        one = counted.get((slo.name, seconds))
        return _told(
            reached(good=one.good if one else 0, total=one.total if one else 0, target=slo.target), slo, seconds
        )

    step_seconds = max(60, drill // STEPS // 60 * 60)
    return {
        "at": at.isoformat(),
        "since": since.isoformat(),
        "step_seconds": step_seconds,
        "slos": [
            {
                "name": slo.name,
                "title": slo.title,
                "promise": slo.promise,
                "target": slo.target,
                "good": slo.good,
                "windows": {name: told(slo, seconds) for name, seconds in WINDOWS.items()},
                "drill": told(slo, drill),
            }
            for slo in slos
        ],
        "curves": _curves(slos, since, at, step_seconds),
        "lateness": _lateness(since),
        "marks": [] if public else [_mark(one) for one in truth.marks(since=since, until=at)],
    }


def _told(one: Reached, slo: Slo, seconds: int) -> dict[str, Any]:
    minutes = seconds * (1 - slo.target) / 60
    return {
        "good": one.good,
        "bad": one.total - one.good,
        "total": one.total,
        "share": one.share,
        "nines": one.nines,
        "nines_proved": one.nines_proved,
        "events_for_next_nine": one.events_for_next_nine,
        "budget_left": one.budget_left,
        "budget_events_left": None if one.budget_left is None else one.budget_events * one.budget_left,
        "budget_minutes": minutes,
        "budget_minutes_left": None if one.budget_left is None else minutes * one.budget_left,
        "burn_rate": one.burn_rate,
        "is_met": one.is_met,
    }


def _curves(slos: Sequence[Slo], since: datetime, at: datetime, step_seconds: int) -> dict[str, list[Any]]:
    """Unix times, and for each objective the per cent that was good in each step; None where nothing happened."""
    steps = [since + timedelta(seconds=step_seconds * number) for number in range(STEPS * 2)]
    times = [step for step in steps if step < at]
    shares = {
        (row["slo"], row["at"]): 100 * row["good"] / row["total"]
        for row in truth.series(since=since, until=at, step_seconds=step_seconds)
        if row["total"]
    }
    curves: dict[str, list[Any]] = {"at": [round(one.timestamp()) for one in times]}
    return curves | {slo.name: [shares.get((slo.name, one)) for one in times] for slo in slos}


def _lateness(since: datetime) -> list[dict[str, Any]]:
    rings = truth.lateness(since=since, bounds_ms=LATENESS_BOUNDS_MS)
    whole = max(1, sum(rings))
    labels = [f"under {_seconds(bound)}" for bound in LATENESS_BOUNDS_MS] + [f"over {_seconds(LATENESS_BOUNDS_MS[-1])}"]
    return [
        {"label": label, "rings": count, "share": count / whole} for label, count in zip(labels, rings, strict=True)
    ]


def _seconds(milliseconds: int) -> str:
    seconds = milliseconds / 1000
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"


def _mark(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": round(row["at"].timestamp()), "kind": row["kind"], "says": row["says"]}


def shown(page_of: Mapping[str, Any]) -> Mapping[str, Any]:
    """The page's figures as its template shows them: rounded, with words where there is nothing."""
    for slo in page_of["slos"]:
        slo["percent"] = f"{slo['target'] * 100:g}"
        slo["rows"] = [_row(name, one) for name, one in [*slo["windows"].items(), ("since then", slo["drill"])]]
        month = slo["windows"]["30 d"]
        slo["next"] = (
            f"Proved {month['nines_proved']:.2f} nines over 30 days; the next whole one needs "
            f"{month['events_for_next_nine']:,} events without a bad one."
            if month["total"]
            else "Nothing has happened yet, so nothing is proved."
        )
    for mark in page_of["marks"]:
        mark["sign"] = SIGNS[mark["kind"]]
        mark["time"] = datetime.fromtimestamp(mark["at"], UTC).strftime("%m-%d %H:%M:%S")
    return page_of


def _row(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    if not one["total"]:
        return {"window": name, "class": "empty", "nines": "–", "proved": "–", "events": 0, "bad": 0, "meter": 1,
                "budget": "–", "left": "", "burn": "–", "next": ""}  # fmt: skip
    seen = "all good" if not one["bad"] else f"{one['nines']:.2f}"
    left = one["budget_left"]
    return {
        "window": name,
        "class": "met" if one["is_met"] else "missed",
        "nines": seen,
        "proved": f"{one['nines_proved']:.2f}",
        "events": f"{one['total']:,}",
        "bad": f"{one['bad']:,}",
        "meter": f"{max(0.0, left):.4f}",
        "budget": f"{left * 100:.0f} %",
        "left": f"{one['budget_minutes_left']:.1f} min · {one['budget_events_left']:.1f} events",
        "burn": f"{one['burn_rate']:.1f}×",
        "next": f"{one['events_for_next_nine']:,} events without a bad one prove the next whole nine",
    }
