"""The figures of the last reports, small enough to be committed, and the page of the reference made of them.

`figures.json` is the data, `docs/reference/experiments.md` its page: a test writes the page anew from the data and
compares. Fault pages take the figures of the experiments that injected that fault.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.lab import experiment
from deploy.lab.page import HEADLINE, verdict
from deploy.local.home import REPOSITORY

DATA: Final = Path(__file__).resolve().parent / "figures.json"
PAGE: Final = REPOSITORY / "docs" / "reference" / "experiments.md"
TIERS: Final = ("naive", "durable", "redundant", "replicated", "isolated")
_KEPT: Final = (
    "texted", "accepted", "refused", "unknown", *HEADLINE, "unresolved", "dead", "missed", "told_late",
    "lateness_p50_seconds", "lateness_max_seconds", "gap_max_seconds", "recovered_seconds",
)  # fmt: skip
_HEAD: Final = """\
# Experiments

What the lab measured last, by tier. This page is written from `deploy/lab/figures.json`, which
`./manage.py lab report --write-docs` takes from the last reports. Each line is one trial:
`./manage.py lab run NAME --tier TIER --seed SEED` repeats it, in under two minutes, and writes a page with its
timeline. Leases and look-ups are shortened in the lab (the report names every setting). A tier that breaks a promise
where it was expected to (`naive`) is "as expected" too: the verdict is about the claim, the four counts are about the
people.

*lost*: accepted and then lost · *twice*: rung twice · *late*: over 60 s late without saying so · *mischarged*: any
charge too many, too few or of another amount. *Gap*: the longest time without an accepted text after a fault.
*Steady*: how long after the undoing everything was as before.
"""


def kept(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a report."""
    measures = {name: report["measures"][name] for name in _KEPT if name in report["measures"]}
    return {
        "tier": report["tier"],
        "experiment": report["experiment"],
        "title": report["title"],
        "as_expected": report["as_expected"],
        "date": report["at"][:10],
        "commit": report["commit"],
        "seed": report["seed"],
        "processors": report["host"]["processors"],
        "load": report["host"]["load"][0],
        "faults": sorted({one["name"] for one in report["faults"]}),
        "measures": measures,
    }


def read() -> list[dict[str, Any]]:
    """The figures that are committed; none where there are none yet."""
    try:
        found: list[dict[str, Any]] = json.loads(DATA.read_text())
    except OSError:
        return []
    return found


def write(reports: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Put these reports' figures in the place of older ones of the same tier and experiment, and write the page."""
    found = {(one["tier"], one["experiment"]): one for one in read()}
    found.update({(one["tier"], one["experiment"]): kept(one) for one in reports})
    ordered = sorted(found.values(), key=lambda one: (TIERS.index(one["tier"]), one["experiment"]))
    DATA.write_text("[\n" + ",\n".join(json.dumps(one) for one in ordered) + "\n]\n")
    PAGE.write_text(drawn(ordered))
    return [DATA, PAGE]


def of_fault(name: str) -> list[dict[str, Any]]:
    """The figures of the experiments that injected this fault, lowest tier first."""
    return [one for one in read() if name in one["faults"] and not one["experiment"].startswith("walk-")]


def drawn(figures: Sequence[Mapping[str, Any]]) -> str:
    """The page."""
    return "\n".join([_HEAD, *_tiers(figures), *_claims()]) + "\n"


def _tiers(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for tier in TIERS:
        rows = [one for one in figures if one["tier"] == tier]
        yield f"## {tier}\n"
        if not rows:
            yield "Not measured yet.\n"
            continue
        good = sum(one["as_expected"] for one in rows)
        commits = ", ".join(sorted({f"`{one['commit']}`" for one in rows}))
        loads = [one["load"] for one in rows]
        yield (
            f"{good} of {len(rows)} as expected. Commits {commits}, {min(one['date'] for one in rows)} to "
            f"{max(one['date'] for one in rows)}, {rows[0]['processors']} processors, load average "
            f"{min(loads):g}–{max(loads):g} at the end of a trial.\n"
        )
        columns = ("experiment", "verdict", "texts", "accepted", *HEADLINE, "worst lateness", "gap", "steady")
        yield f"| {' | '.join(columns)} |"
        yield f"|---|---|{'--:|' * (len(columns) - 2)}"
        yield from (_row(one) for one in rows)
        yield ""


def _row(one: Mapping[str, Any]) -> str:
    measures = one["measures"]
    cells = [f"{measures[name]:g}" for name in ("texted", "accepted", *HEADLINE)]
    times = ("lateness_max_seconds", "gap_max_seconds", "recovered_seconds")
    cells += [f"{measures[name]:.1f} s" if name in measures else "–" for name in times]
    return f"| {one['experiment']} | {verdict(one)} | {' | '.join(cells)} |"


def _claims() -> Iterator[str]:
    yield "## What each claims\n"
    yield "| experiment | claim | not tested |"
    yield "|---|---|---|"
    for name in experiment.names():
        found = experiment.read(name)
        yield f"| [{name}](../../deploy/lab/experiments/{name}.toml) | {found.claim} | {' '.join(found.not_tested)} |"
