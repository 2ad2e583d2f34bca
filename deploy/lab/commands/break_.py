"""./manage.py lab break FAULT: inject a fault; it stays until `lab heal`, or for --seconds."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from deploy.lab import faults
from deploy.local.home import Home

HELP = "Inject a fault into the running system. It stays until `lab heal`, or for --seconds."


def add_arguments(parser: ArgumentParser) -> None:
    """Which fault, where, for how long."""
    parser.add_argument("fault", help="its name: ./manage.py lab faults lists them")
    parser.add_argument("--target", help="an instance (worker-1) or a link (worker-1→carrier, or with ->)")
    parser.add_argument("--seconds", type=float, help="heal it by itself after so long")
    parser.add_argument("--way", help="one of its ways; without it the first that this machine allows")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="may be given again")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Inject it and say what was done."""
    found = faults.inject(
        home,
        options["fault"],
        target=options["target"],
        seconds=options["seconds"],
        way=options["way"],
        kept=True,
        **dict(_pair(word) for word in options["option"]),
    )
    if options["json"]:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False))
        return 0
    print(f"{found.fault} is in force at {found.target} ({found.way}), since {found.at}.")
    print(f"It imitates {faults.fault(found.fault).imitates}.")
    print(f"Heal it: ./manage.py lab heal {found.fault}" if not found.heals_at else f"It heals at {found.heals_at}.")
    return 0


def _pair(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals:
        raise faults.FaultError(f"An option is NAME=VALUE, not {word!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
