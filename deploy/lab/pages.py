"""The fault pages of docs/reference/faults: written from the fault files, and from what was measured last.

`measured.json` beside the pages is what `./manage.py lab verify --json FILE` wrote on one machine: figures of
that run, not promises. A report of an experiment is linked from a fault's page where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.lab import figures
from deploy.lab.faults import Fault, Way, catalogue
from deploy.local.home import REPOSITORY

DIRECTORY: Final = REPOSITORY / "docs" / "reference" / "faults"
MEASURED: Final = DIRECTORY / "measured.json"
_WRITTEN: Final = (
    "This page is written from the fault's file: "
    "`RINGBACK_WRITE_DOCS=1 .venv/bin/python -m pytest tests/unit/lab/test_pages.py` writes it anew."
)


def pages() -> dict[str, str]:
    """Every page by its file name, the index among them."""
    measured = read_measured()
    found = {f"{fault.name}.md": page(fault, measured.get(fault.name, ())) for fault in catalogue()}
    return {"index.md": index(catalogue(), measured), **found}


def read_measured() -> dict[str, list[Mapping[str, Any]]]:
    """What was measured last, by fault; empty where nothing was yet."""
    try:
        found = json.loads(MEASURED.read_text())
    except FileNotFoundError:
        return {}
    sorted_by_fault: dict[str, list[Mapping[str, Any]]] = {}
    for one in found:
        sorted_by_fault.setdefault(one["fault"], []).append(one)
    return sorted_by_fault


def page(fault: Fault, measured: Sequence[Mapping[str, Any]]) -> str:
    """What it does, what one sees, what was measured."""
    module = fault.name.replace("-", "_")
    lines = [
        f"# {fault.name}",
        "",
        f"Imitates {fault.imitates}. Class: {fault.fault_class}.",
        "",
        f"- **Strikes**: {', '.join(f'`{target}`' for target in fault.targets)}",
        f"- **Blast radius**: {fault.blast_radius}.",
        f"- **What one sees**: {fault.shows}.",
        f"- **Undone by**: {_sentence(fault.undone)}",
        *_needs(fault),
        "",
        "## How it is injected",
        "",
        "The first way that this machine and system allow is taken; what is missing is said.",
        "",
        *(_way(way) for way in fault.ways),
        "",
        "```sh",
        f"./manage.py lab break {fault.name}{_example(fault)}",
        "./manage.py lab status",
        f"./manage.py lab heal {fault.name}",
        "```",
        "",
        *_measured(measured),
        *_tried(fault.name),
        f"[The file](../../../deploy/lab/faults/{module}.py) · [all faults](index.md)",
        "",
        _WRITTEN,
    ]
    return "\n".join(lines) + "\n"


def index(faults: Sequence[Fault], measured: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Every fault by class."""
    lines = [
        "# The faults of the lab",
        "",
        f"{len(faults)} faults, each one file in [deploy/lab/faults](../../../deploy/lab/faults). "
        "[Break Ringback on purpose](../../howto/break-it-on-purpose.md) says how they are used, "
        "[the lab's fault proxy](../fault-proxy.md) how the network is broken.",
        "",
        "`./manage.py lab verify` injects each one, sees that its own measurement shows it, heals it, and sees that "
        "the measurement shows it no longer. The last column says how that went when it was last done "
        "([measured.json](measured.json)); a fault that could not be tried there says why on its page.",
    ]
    for name in dict.fromkeys(fault.fault_class for fault in sorted(faults, key=lambda one: one.fault_class)):
        lines += ["", f"## {name}", "", "| fault | imitates | verified |", "|---|---|---|"]
        for fault in faults:
            if fault.fault_class == name:
                said = sorted({one["verdict"] for one in measured.get(fault.name, ())}) or ["not yet"]
                lines.append(f"| [{fault.name}]({fault.name}.md) | {fault.imitates} | {', '.join(said)} |")
    return "\n".join([*lines, "", _WRITTEN]) + "\n"


def _needs(fault: Fault) -> list[str]:
    needs = list(dict.fromkeys((*fault.needs, *(need for way in fault.ways for need in way.needs))))
    options = [f"- **Options**: {', '.join(f'`{name}` ({value})' for name, value in fault.options.items())}"]
    said = [f"- **Needs**, for one way or all: {', '.join(f'`{need}`' for need in needs)}"] if needs else []
    return said + (options if fault.options else [])


def _way(way: Way) -> str:
    needs = f" Needs {', '.join(way.needs)}." if way.needs else ""
    return f"- `{way.name}`{' (privileged)' if way.privileged else ''}: {way.how}{needs}"


def _example(fault: Fault) -> str:
    links = [target for target in fault.targets if "→" in target]
    return " --target 'web-1→postgres-1'" if "*→*" in links else ""


def _measured(measured: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["## What was measured", ""]
    if not measured:
        return [*lines, "Nothing yet: `./manage.py lab verify` has not been run with it.", ""]
    for one in measured:
        if one["verdict"] != "bites and heals":
            lines += [f"- {one['at']}: {one['verdict']}: {one['why']}"]
            continue
        lines += [
            f"- {one['at']}, `{one['way']}` at `{one['target']}`, tier {one['tier']}:",
            f"  - before: {one['before']}",
            f"  - in force: {one['during']}",
            f"  - healed: {one['after']} (gone after {one['heal_seconds']} s)",
        ]
    return [*lines, ""]


def _tried(name: str) -> list[str]:
    """What the experiments that inject it found, tier by tier."""
    found = figures.of_fault(name)
    if not found:
        return []
    lines = ["## In experiments", "", "| experiment | tier | accepted | lost | twice | late | mischarged |"]
    lines.append("|---|---|--:|--:|--:|--:|--:|")
    for one in found:
        counts = " | ".join(f"{one['measures'][kind]:g}" for kind in ("lost", "twice", "late", "mischarged"))
        accepted = f"{one['measures']['accepted']:g} of {one['measures']['texted']:g}"
        lines.append(
            f"| [{one['experiment']}](../experiments.md#{one['tier']}) | {one['tier']} | {accepted} | {counts} |"
        )
    return [*lines, ""]


def _sentence(text: str) -> str:
    return text[0].lower() + text[1:] if not text.startswith(("SIG", "CONFIG")) else text


def write(directory: Path = DIRECTORY) -> None:
    """Write every page, and remove those of faults that are no more."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for place in directory.glob("*.md"):
        if place.name not in wanted:
            place.unlink()
    for name, text in wanted.items():
        (directory / name).write_text(text)
