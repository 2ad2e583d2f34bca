"""./manage.py lab faults: every fault, and what this machine or system lacks for it."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from deploy.lab import faults
from deploy.lab.injection import machine
from deploy.local.home import Home
from reminders.tables import Column, paragraph, table

HELP = "List every fault, and say what is missing here for those that cannot be injected."


def add_arguments(parser: ArgumentParser) -> None:
    """How to say it."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Say it."""
    found = [_described(home, fault) for fault in faults.catalogue()]
    if options["json"]:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    columns = [Column(title="fault"), Column(title="class"), Column(title="imitates")]
    print(table(columns=columns, rows=[(one["name"], one["class"], one["imitates"]) for one in found]))
    _say_missing(found)
    return 0


def _described(home: Home, fault: faults.Fault) -> dict[str, Any]:
    return {
        "name": fault.name,
        "class": fault.fault_class,
        "imitates": fault.imitates,
        "blast_radius": fault.blast_radius,
        "targets": list(fault.targets),
        "needs": list(fault.needs),
        "options": dict(fault.options),
        "ways": [
            {key: value for key, value in asdict(way).items() if key in ("name", "how", "needs", "privileged")}
            for way in fault.ways
        ],
        "missing": faults.missing(home, fault.name),
    }


def _say_missing(found: list[dict[str, Any]]) -> None:
    absent: dict[str, list[str]] = {}
    for one in found:
        if one["missing"]:
            absent.setdefault(one["missing"], []).append(one["name"])
    here = len(found) - sum(map(len, absent.values()))
    print(f"\n{len(found)} faults, {here or 'none'} of them can be injected here and now.")
    for lack, names in absent.items():
        print(paragraph(f"Not here: {lack}" if here else lack))
        if here:
            print(paragraph(", ".join(names), indent="    "))
    for need, lacking in machine.found().items():
        if lacking:
            print(paragraph(f"This machine, {need}: {lacking}."))
    if here:
        print("Next: ./manage.py lab break FAULT, then ./manage.py lab heal.")
