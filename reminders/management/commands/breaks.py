"""./manage.py breaks [ID … | --all] [--note WHY]: list what differs from a promise, or close what was looked at."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.utils import timezone

from billing import breaks
from billing.breaks import OpenBreak
from reminders.management.asking import Asking, rfc3339, utc
from reminders.tables import Column, paragraph, table

COLUMNS = (Column(title="opened (UTC)"), Column(title="id"), Column(title="promise, kind, of what"))


class Command(Asking):
    """Closing keeps the break and its note for good; it mends nothing by itself."""

    help = "List the open breaks; with an ID (or --all) and a --note, close them once they were looked at."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which ones, and why."""
        parser.add_argument("ids", metavar="ID", nargs="*", help="a break's id; none: list them")
        parser.add_argument("--all", action="store_true", help="every one that is listed")
        parser.add_argument("--note", default="", help="what was found, and what was done about it")
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """List or close."""
        found = breaks.waiting()
        if not options["ids"] and not options["all"]:
            self._list(found, as_json=options["json"])
            return
        if not options["note"].strip():
            self.refuse('Say what was found: --note "…".')
        wanted = {str(one.id) for one in found} if options["all"] else set(options["ids"])
        if unknown := sorted(wanted - {str(one.id) for one in found}):
            self.refuse(f"{unknown[0]!r} is not the id of an open break: ./manage.py breaks lists them.")
        for one in sorted(wanted):
            breaks.close_break(break_id=UUID(one), note=options["note"].strip(), at=timezone.now())
        said = {"closed": sorted(wanted)}
        self.stdout.write(json.dumps(said) if options["json"] else f"Closed {len(wanted)} of {len(found)} breaks.")

    def _list(self, found: list[OpenBreak], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"breaks": [_json(one) for one in found]}, indent=1))
        elif not found:
            self.stdout.write("There are no open breaks.\nNext: ./manage.py audit (every promise).")
        else:
            rows = [
                (utc(one.opened_at), str(one.id), f"{one.promise} {one.kind}: {' '.join(one.subject)}") for one in found
            ]
            said = 'Next: ./manage.py breaks ID --note "…" (or --all), once each was looked at.'
            self.stdout.write("\n".join([table(columns=COLUMNS, rows=rows), "", paragraph(said)]))


def _json(one: OpenBreak) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "promise": one.promise,
        "kind": one.kind,
        "subject": dict(zip(("kind", "id"), one.subject, strict=True)),
        "detail": dict(one.detail),
        "opened_at": rfc3339(one.opened_at),
    }
