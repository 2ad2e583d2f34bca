"""./manage.py lab heal [FAULT]: undo what is in force, and wait until everything serves again."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from deploy.lab import faults
from deploy.local.home import Home

HELP = "Undo a fault, or all of them. Done again it changes nothing."


def add_arguments(parser: ArgumentParser) -> None:
    """Which one."""
    parser.add_argument("fault", nargs="?", help="its name; without it everything is healed")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Heal it and say what was undone."""
    if options["fault"] is not None:
        faults.fault(options["fault"])
    for line in faults.heal(home, options["fault"]) or ["Nothing was in force."]:
        print(f"healed: {line}" if " at " in line else line)
    return 0
