"""./manage.py audit: every promise on the live data. Exit 1 where one is broken, 2 where one could not be checked."""

import json
import sys
from typing import Any

from django.utils import timezone

from reminders import wiring
from reminders.audit import Audited, Report, audit
from reminders.audit.checks import Break
from reminders.carriers import session
from reminders.management.asking import COULD_NOT, Asking, plain
from reminders.tables import Column, paragraph, table

BROKEN = 1
COLUMNS = (
    Column(title=""),
    Column(title="kept"),
    Column(title="checked", right=True),
    Column(title="promise, and what contradicts it"),
)
SAID = {
    "P1": "Nothing accepted is lost.",
    "P2": "Every scheduled reminder rings or says why not.",
    "P3": "Nobody is rung twice for one attempt.",
    "P4": "Nobody is charged twice, or for what did not happen.",
    "P5": "On time, or it says so.",
    "P6": "The carrier's books equal ours.",
    "P7": "Any request of any user can be traced.",
    "P8": "History is never rewritten.",
    "P9": "Nobody gets in.",
}
VERDICTS = {True: "yes", False: "BROKEN", None: "unknown"}
BREAKS_SHOWN_MAX = 20
WIDTH = 79


class Command(Asking):
    """Reads everything in one snapshot; changes nothing."""

    help = "Check every promise on the live data. Exit 1: one is broken; 2: one could not be checked."

    def handle(self, *_: object, **options: Any) -> None:
        """Check and tell."""
        try:
            first, *others = (
                audit(carrier=one, policy=wiring.policy(), now=timezone.now(), tell=self._tell)
                for one in wiring.carriers()
            )
            report = first.beside(others)
        finally:
            self._tell("")
            session.close()
        self.stdout.write(json.dumps(_json(report), indent=1) if options["json"] else _text(report))
        if report.ok is not True:
            sys.exit(BROKEN if report.ok is False else COULD_NOT)

    def _tell(self, what: str) -> None:
        """One line that is written over, where somebody looks on."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{what[:WIDTH]:<{WIDTH}}\r", ending="")


def _json(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "promises": [
            {
                "id": one.id,
                "ok": one.ok,
                "checked": one.checked,
                "breaks": [_json_break(found) for found in one.breaks],
                "note": one.note,
            }
            for one in report.promises
        ],
    }


def _json_break(one: Break) -> dict[str, Any]:
    return {"kind": one.kind, "subject": one.subject, "id": one.id, "detail": plain(dict(one.detail))}


def _text(report: Report) -> str:
    rows = [row for one in report.promises for row in _rows(one)]
    return "\n".join([table(columns=COLUMNS, rows=rows), "", paragraph(_next(report))])


def _rows(one: Audited) -> list[tuple[str, ...]]:
    note = f" ({one.note})" if one.note else ""
    rows: list[tuple[str, ...]] = [(one.id, VERDICTS[one.ok], str(one.checked), f"{SAID[one.id]}{note}")]
    rows += [("", "", "", f"- {found.kind}: {found.subject} {found.id}") for found in one.breaks[:BREAKS_SHOWN_MAX]]
    if len(one.breaks) > BREAKS_SHOWN_MAX:
        rows.append(("", "", "", f"- and {len(one.breaks) - BREAKS_SHOWN_MAX} more: ./manage.py audit --json"))
    return rows


def _next(report: Report) -> str:
    if report.ok is False:
        return "Next: ./manage.py audit --json (the details), then ./manage.py trace NUMBER of whoever is concerned."
    if report.ok is None:
        return "Next: ./manage.py doctor (what runs), and audit again once people have texted and been rung."
    return "Every promise is kept. Next: ./manage.py trace NUMBER (one person's history)."
