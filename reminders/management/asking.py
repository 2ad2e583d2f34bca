"""What the commands share: a person found by their number, a refusal in one sentence, times as people read them."""

import gc
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand

from billing.money import Money
from reminders import history, phone

COULD_NOT = 2


class Asking(BaseCommand):
    """A command that only reads. What it cannot answer ends with one sentence and exit code 2."""

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For people or for programs."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As Django does; what stands by now is not walked through by a collection while somebody waits."""
        gc.freeze()
        return super().execute(*args, **options)

    def refuse(self, sentence: str) -> NoReturn:
        """Say why not, and exit with 2."""
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)

    def person(self, raw: str) -> history.Person:
        """The person with this number; refuses what is no number, and one that never texted."""
        number = phone.parse(raw).e164
        if number is None:
            self.refuse(f"{raw!r} is not a phone number: write it with its country code, such as +12025550123.")
        found = history.person(number=number)
        if found is None:
            self.refuse(f"Nobody has texted Ringback from {number} yet.")
        return found


def number_argument(parser: ArgumentParser, *, may_lack: bool = False) -> None:
    """NUMBER, as the person's phone has it."""
    told = "with its country code, such as +12025550123"
    parser.add_argument("number", metavar="NUMBER", help=told, nargs="?" if may_lack else None)


def rfc3339(at: datetime | None) -> str | None:
    """An instant for programs: UTC with milliseconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc(at: datetime) -> str:
    """An instant for people, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def local(at: datetime, zone: str) -> str:
    """An instant as the person's clock shows it, with the zone's name."""
    try:
        return at.astimezone(ZoneInfo(zone)).strftime("%a %d %b %H:%M:%S ") + zone
    except ZoneInfoNotFoundError:
        return utc(at) + " UTC"


def money(amount_minor: int, currency: str) -> str:
    """An amount as people read it."""
    return str(Money(amount_minor, currency))


def plain(detail: dict[str, Any]) -> dict[str, Any]:
    """A detail as JSON can hold it."""
    return {name: value if _is_json(value) else str(value) for name, value in detail.items()}


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | list | dict)
