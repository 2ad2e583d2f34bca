"""./manage.py lab status: which faults are in force."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from deploy.lab import faults
from deploy.local.home import Home

HELP = "Say which faults are in force, and what each one's measurement says now."


def add_arguments(parser: ArgumentParser) -> None:
    """How to say it."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Say it."""
    found = faults.status(home)
    if options["json"]:
        print(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return 0
    for one in found:
        until = f"until {one.heals_at}" if one.heals_at else "until it is healed"
        print(f"{one.fault} at {one.target} ({one.way}), since {one.at}, {until}")
        print(f"  {faults.measure(home, one.fault, target=one.target).measured}")
    print("Next: ./manage.py lab heal." if found else "No fault is in force. Next: ./manage.py lab faults.")
    return 0
