"""Tables of what was found, and their place in docs/reference/performance.md between two marks."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.lab.bench import kill, looking
from deploy.lab.bench.figures import Spread, shown, shown_spread
from deploy.lab.bench.results import Results, machine
from deploy.local.home import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "reference" / "performance.md"
BEGIN: Final = "<!-- measured: written by make bench ARGS=--report -->"
END: Final = "<!-- end of what was measured -->"
BEGIN_LOOKING: Final = "<!-- looking: written by make bench ARGS='looking --report' -->"
END_LOOKING: Final = "<!-- end of looking -->"
_SIDES: Final = {
    "ours": "Ringback, full intake",
    "fastapi": "FastAPI + asyncpg, uvicorn with uvloop and httptools",
    "fastapi, plain uvicorn": "FastAPI + asyncpg, uvicorn alone (asyncio, h11)",
    "django": "bare Django, granian, native pool",
    "pgbench": "pgbench, single-row INSERT, no HTTP",
}


def tables(found: Results) -> str:
    """Everything that was found, as Markdown."""
    named = found.found
    parts = [
        *_intake(_of(named, "intake-")),
        *_burst(_of(named, "burst-"), _of(named, "burst_callbacks-")),
        *_steady(_of(named, "steady-")),
        *_scan(_of(named, "scan-")),
        *_kill(_of(named, "kill-")),
        *_memory(_of(named, "memory-")),
    ]
    return "\n".join([*parts, _foot()]) + "\n" if parts else ""


def looking_tables(found: Results) -> str:
    """What looking costs, as Markdown; empty where it was not measured."""
    parts = list(_looking(_of(found.found, "looking-")))
    return "\n".join([*parts, _foot()]) + "\n" if parts else ""


def write(found: Results, page: Path = PAGE) -> None:
    """Replace what stands between the page's marks, of what was found. Raises ValueError where a mark is missing."""
    text = page.read_text()
    if new := tables(found):
        text = replaced(text, new)
    if new := looking_tables(found):
        text = replaced(text, new, begin=BEGIN_LOOKING, end=END_LOOKING)
    page.write_text(text)


def replaced(text: str, new: str, *, begin: str = BEGIN, end: str = END) -> str:
    """The page's text with the measured part between two marks replaced."""
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError("the marks of the measured part are missing")
    return f"{before}{begin}\n\n{new}\n{end}{after}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table, with an empty line after it."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows), ""]


def judged(good: bool) -> str:
    """A target's cell."""
    return "met" if good else "**missed**"


def _of(named: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    return [figures for name, figures in sorted(named.items()) if name.startswith(prefix)]


def _intake(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    yield "### Intake: accepted messages a second\n"
    for run in runs:
        ratios, half = run["ratios"], run["half"]
        rows = [
            [
                _SIDES[name],
                _range(rates),
                _range(ratios[name]) if name in ratios else "",
                _range_of(run["sides"]["pgbench"], rates),
            ]
            for name, rates in run["sides"].items()
        ]
        yield f"{_head(run)}, {run['n']:,} requests of ours, {run['failed']} failed.\n"
        yield from table(["side", "requests/s", "ours over it", "of pgbench"], rows)
        yield (
            f"At half of that ({shown(half['rate'])}/s, open model, n = {half['n']:,}), {half['failed']} failed: "
            f"p50 {shown(half['p50_ms'])} ms, p99 {shown(half['p99_ms'])} ms, most {shown(half['max_ms'])} ms "
            f"(target p99 ≤ 50 ms: {judged(half['p99_ms'] <= 50)}). "
            f"Target: at least FastAPI's rate: {judged(ratios['fastapi']['median'] >= 1)}; "
            f"against uvicorn alone: {judged(ratios['fastapi, plain uvicorn']['median'] >= 1)}."
        )
        yield (
            f"Processor time per message: {_costs(run['cpu_us'])}; "
            f"of a peer's, Postgres included: {_costs(run['peers_us'])}.\n"
        )


def _burst(runs: Sequence[Mapping[str, Any]], talking: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if runs:
        yield "### Burst: calls a second, all due at one instant\n"
        rows = [
            [
                run["processes"],
                f"{run['n']:,}",
                _range(run["ours"]),
                _range(run["peer"]),
                _range(run["ratio"]),
                judged(run["ratio"]["median"] >= 0.25),
                run["lost"],
                run["twice"],
                _range(run["load"]),
            ]
            for run in runs
        ]
        head = ["workers", "n", "Ringback", "bare loop", "ratio", "target ≥ 0.25", "lost", "twice", "load"]
        yield from table(head, rows)
        for run in runs:
            yield f"Processor time per call, {run['processes']} worker(s): {_costs(run['cpu_us'])}.\n"
    if talking:
        rows = [
            [
                run["processes"],
                f"{run['n']:,}",
                shown(run["calls_per_second"]),
                shown(run["ended_per_second"]),
                f"{run['answered']:,}",
                run["callbacks_owed"],
                run["lost"],
                run["twice"],
            ]
            for run in talking
        ]
        yield "With four callbacks, the words and a key for each call:\n"
        head = [
            "workers",
            "n",
            "placed/s",
            "answered, ended and charged/s",
            "answered",
            "evidence missing",
            "lost",
            "twice",
        ]
        yield from table(head, rows)


def _steady(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    yield "### Steady: 200 due each second, lateness at the carrier\n"
    rows = [
        [
            run["processes"],
            f"{run['n']:,}",
            shown(run["p50_ms"]),
            shown(run["p99_ms"]),
            shown(run["max_ms"]),
            judged(run["p99_ms"] <= 250 and not run["early"]),
            run["early"],
            run["lost"],
            run["twice"],
            shown(run["load"]),
        ]
        for run in runs
    ]
    head = ["workers", "n", "p50 ms", "p99 ms", "most ms", "p99 ≤ 250, never early", "early", "lost", "twice", "load"]
    yield from table(head, rows)


def _scan(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    yield "### Due scan and claim with many pending\n"
    rows = []
    for run in sorted(runs, key=lambda one: int(one["pending"])):
        quiet, held = run["quiet"], run["held"]
        good = max(quiet["scan"]["p50_ms"], held["scan"]["p50_ms"]) <= 2
        claims = max(quiet["claim"]["p50_ms"], held["claim"]["p50_ms"]) <= 10
        rows.append(
            [
                f"{run['pending']:,}",
                _two(quiet["scan"]),
                _two(quiet["claim"]),
                f"{run['held_seconds']} s",
                _two(run["beside"]["scan"]),
                _two(held["scan"]),
                _two(held["full"]),
                _two(held["claim"]),
                f"{shown(quiet['claim_cpu_ms'])} / {shown(held['claim_cpu_ms'])}",
                f"{judged(good)}, {judged(claims)}",
                _two(run["late"]),
            ]
        )
    head = [
        "pending", "scan", "claim of 500", "snapshot held", "scan beside 200/s", "scan after", "full scan after",
        "claim after", "claim: processor, before / after", "scan ≤ 2, claim ≤ 10", "lateness at 200/s",
    ]  # fmt: skip
    yield "Milliseconds, p50 / p99.\n"
    yield from table(head, rows)
    for run in runs:
        late, count = run["late"], f"{run['pending']:,}"
        yield (
            f"The load beside {count} pending: {late['n']:,} due at {shown(late['per_second'])}/s, {late['lost']} lost,"
            f" {late['twice']} called twice; {late['ended']:,} attempts ended, {late['open']} were open at the end.\n"
        )
        yield f"Memory in MB, resident (own), none → {count} pending → after the load: {_grown(run['memory'])}.\n"


def _grown(memory: Mapping[str, Sequence[tuple[int, int]]]) -> str:
    return ", ".join(
        f"{name} " + " → ".join(f"{resident // 1024} ({own // 1024})" for resident, own in told)
        for name, told in memory.items()
    )


def _kill(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    yield "### kill -9 in the middle of a burst\n"
    rows = [
        [
            run["victim"],
            f"{run['n']:,}",
            f"{run['posted_before']:,}",
            run["lost"],
            run["twice"],
            _after(run["not_intended"], run["resumed_seconds"]),
            _after(run["open_intents"], run["resolved_seconds"]),
            _after(run["n"] - run["unsettled"], run["settled_seconds"]),
            judged(_recovered(run)),
        ]
        for run in runs
    ]
    head = ["killed", "n", "posted before", "lost", "called twice", "not intended: last call", "intended: resolved"]
    yield "Seconds after the kill, and in brackets of how many.\n"
    yield from table([*head, "all settled", "target"], rows)


def _after(many: int, seconds: float | None) -> str:
    return "—" if seconds is None else f"{shown(seconds)} ({many:,})"


def _recovered(run: Mapping[str, Any]) -> bool:
    """Nothing lost or called twice; on time by the lease, and by the look-up horizon for what was being sent.

    The web rings nobody: what its death delays is the evidence, and no promise has a time for that.
    """
    if run["lost"] or run["twice"] or run["unsettled"]:
        return False
    resumed, resolved = run["resumed_seconds"] or 0.0, run["resolved_seconds"] or 0.0
    in_time = resolved <= kill.HORIZON_SECONDS or run["victim"] == "web-1"
    return bool(resumed <= kill.LEASE_SECONDS + 10 and in_time)


def _memory(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    yield "### Memory of the idle system\n"
    for run in runs:
        names = sorted(run["resident_mb"])
        rows = [
            ["resident MB", *(run["resident_mb"][name] for name in names), sum(run["resident_mb"].values())],
            ["own MB (PSS)", *(run["own_mb"][name] for name in names), sum(run["own_mb"].values())],
        ]
        yield from table(["", *names, "in all (target < 700)"], rows)


def _looking(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for run in runs:
        rounds = run["cpu_us"][looking.NOTHING]["rounds"]
        yield f"{_head(run)}, {rounds} rounds of each side, {run['n']:,} texts in all, {run['failed']} failed."
        yield "Processor time of the web process.\n"
        rows = [
            [name, _range(cost), _range(run["ratios"][name]) if name in run["ratios"] else ""]
            for name, cost in run["cpu_us"].items()
        ]
        yield from table(["switched on", "µs per text", "of nothing"], rows)
        met = judged(run["ratios"][looking.EVERYTHING]["median"] <= looking.TARGET)
        yield f"Target: everything at most {looking.TARGET:g} of nothing: {met}. Besides, in a process of its own, the"
        yield f"embedded trace store took {run['receiver_us']} µs for each text that was traced.\n"


def _foot() -> str:
    about = machine()
    return f"{about['processors']} processors, {about['system']}, Python {about['python']}."


def _head(run: Mapping[str, Any]) -> str:
    count = run["processes"]
    return f"{count} web process{'es' if count > 1 else ''}, {run['at']}, load {_range(run['load'])}"


def _range(found: Mapping[str, Any]) -> str:
    return shown_spread(Spread(**found))


def _range_of(whole: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    return shown(part["median"] / whole["median"]) if whole["median"] else shown(math.nan)


def _two(found: Mapping[str, Any]) -> str:
    return f"{shown(found['p50_ms'])} / {shown(found['p99_ms'])}"


def _costs(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {cost} µs" for name, cost in sorted(found.items(), key=lambda one: -one[1]) if cost)
