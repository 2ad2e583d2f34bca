"""./manage.py place_rows [MONTH … | --all]: rows of history that no month holds, and the move into their month."""

import json
from argparse import ArgumentParser
from typing import Any

from django.db import Error as DatabaseError

from reminders import limits, unplaced
from reminders.management.asking import Asking
from reminders.tables import Column, table
from reminders.unplaced import Unplaced


class Command(Asking):
    """Without a month it only reads."""

    help = "Show rows of history that lie outside of every month; with MONTH or --all, move them into theirs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which months, and how much at once."""
        parser.add_argument("month", nargs="*", metavar="MONTH", help="such as 2026-12, as they are listed")
        parser.add_argument("--all", action="store_true", help="every month that is listed")
        parser.add_argument(
            "--rows-max",
            type=int,
            default=limits.PLACED_MAX,
            help=f"move no month with more rows than this: it holds up who reads history ({limits.PLACED_MAX})",
        )
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """List, or move month by month; each is moved as a whole or left as it is."""
        found = unplaced.waiting()
        wanted = {_name(one): one for one in found if options["all"] or _name(one) in options["month"]}
        for month in options["month"]:
            if month not in wanted:
                self.refuse(f"No row of {month} lies outside of its month. Next: ./manage.py place_rows")
        moved = {name: self._place(name, one, options["rows_max"]) for name, one in wanted.items()}
        if options["json"]:
            told = {"unplaced": [_json(one) for one in found if _name(one) not in moved], "placed": moved}
            self.stdout.write(json.dumps(told, indent=1))
        elif not wanted:
            self._list(found)

    def _place(self, name: str, one: Unplaced, rows_max: int) -> int:
        try:
            several = unplaced.place(month=one.month, rows_max=rows_max)
        except DatabaseError as error:
            self.refuse(_why(name, error, rows_max))
        self.stderr.write(f"{name}: {several} rows are in their month now.")
        return several

    def _list(self, found: list[Unplaced]) -> None:
        if not found:
            self.stdout.write("Every row of history is in its month.")
            return
        columns = [Column(title="month")]
        columns += [Column(title=title, right=True) for title in ("messages", "attempts", "events", "replies")]
        rows = [(_name(one), *map(str, (one.messages, one.attempts, one.events, one.replies))) for one in found]
        self.stdout.write(table(columns=columns, rows=rows))
        self.stdout.write("\nNext: ./manage.py place_rows --all")


def _why(name: str, error: DatabaseError, rows_max: int) -> str:
    code = getattr(error.__cause__, "sqlstate", None)
    if code == "54000":
        return (
            f"{name} has more than {rows_max} rows. At a quiet hour: ./manage.py place_rows {name} --rows-max 1000000"
        )
    if code in ("55P03", "57014"):
        return f"{name} was left as it is: somebody uses those rows. Try again: ./manage.py place_rows {name}"
    return f"{name} was left as it is: {type(error).__name__} {code or ''}".rstrip() + "."


def _name(one: Unplaced) -> str:
    return f"{one.month.year:04d}-{one.month.month:02d}"


def _json(one: Unplaced) -> dict[str, Any]:
    rows = {"messages": one.messages, "attempts": one.attempts, "events": one.events, "replies": one.replies}
    return {"month": _name(one), **rows}
