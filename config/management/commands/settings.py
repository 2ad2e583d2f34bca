"""./manage.py settings: every setting of the environment, what it is now, and where that comes from."""

import json
from argparse import ArgumentParser
from dataclasses import asdict, dataclass

from django.core.management.base import BaseCommand

from config.environment import Setting, find, home
from config.settings import environment
from reminders.tables import Column, table

HIDDEN = "(secret)"
WHERE = {"file": "secret file"}
NOTES = (
    "A value is taken from the environment, else from the file that NAME_FILE",
    "names, else from run/env in RINGBACK_HOME (of the running system), else it is",
    "the default.",
    "Next: ./manage.py doctor (what is found, missing and running).",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One setting as it is told; a secret one never with its value."""

    name: str
    value: str
    default: str
    where: str
    secret: bool
    meaning: str


def lines() -> list[Line]:
    """Every setting that is read from the environment, in the order of `config/settings.py`."""
    where = find("RINGBACK_HOME")[1]
    of_home = Line(
        name="RINGBACK_HOME",
        value=str(home()),
        default=".ringback in the repository",
        where=where if where == "environment" else "default",
        secret=False,
        meaning="the data directory of this system",
    )
    return [of_home, *(_line(setting) for setting in environment.known.values())]


def _line(setting: Setting) -> Line:
    found, where = find(setting.name)
    value = setting.default if found is None else found
    return Line(
        name=setting.name,
        value=HIDDEN if setting.secret and value else value,
        default=HIDDEN if setting.secret and setting.default else setting.default,
        where=WHERE.get(where, where),
        secret=setting.secret,
        meaning=setting.meaning,
    )


class Command(BaseCommand):
    """Reads and prints; opens no database."""

    help = "List every setting by environment: its value, default, where it comes from, what it means."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to say it."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_: object, **options: object) -> None:
        """Say it."""
        found = lines()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(line) for line in found], indent=1))
            return
        self.stdout.write("\n".join([_table(found), "", *NOTES]))


def _table(found: list[Line]) -> str:
    columns = [Column(title="setting"), Column(title="value, where from, meaning")]
    return table(columns=columns, rows=[(line.name, _told(line)) for line in found])


def _told(line: Line) -> str:
    told = line.value or "(empty)"
    if line.where == "default":
        return f"{told} (default): {line.meaning}"
    return f"{told} (from {line.where}; default {line.default or '(empty)'}): {line.meaning}"
