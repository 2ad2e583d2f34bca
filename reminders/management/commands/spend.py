"""./manage.py spend: what was dialled against its bounds, and the command that lifts them for a while."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from reminders import limits, spending, wiring
from reminders.management.asking import Asking, rfc3339, utc
from reminders.spending import Bounds, Spent
from reminders.tables import paragraph


class Command(Asking):
    """Reads, or lifts; a lift ends by itself."""

    help = "Show the calls of the last hour and day against their bounds; --lift MINUTES dials all the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Show or lift."""
        parser.add_argument(
            "--lift", metavar="MINUTES", type=int, help="lift the bounds for so long; 0: hold them again"
        )
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """Show, after a lift where one is asked for."""
        minutes, now = options["lift"], timezone.now()
        if minutes is not None and not 0 <= minutes * 60 <= limits.LIFTED_SECONDS_MAX:
            self.refuse(f"--lift takes 0 to {limits.LIFTED_SECONDS_MAX // 60} minutes.")
        if minutes is not None:
            spending.lift(until=now + timedelta(minutes=minutes), now=now)
        bounds = wiring.bounds()
        spent = spending.spent(bounds=bounds)
        self.stdout.write(json.dumps(_json(bounds, spent), indent=1) if options["json"] else _text(bounds, spent))


def _json(bounds: Bounds, spent: Spent) -> dict[str, Any]:
    return {
        "calls_last_hour": spent.hour,
        "calls_per_hour": bounds.calls_per_hour or None,
        "calls_last_day": spent.day,
        "calls_per_day": bounds.calls_per_day if bounds.minor_per_day else None,
        "lifted_until": rfc3339(spent.lifted_until),
        "left": spent.left,
        "dialling": spent.left != 0,
    }


def _text(bounds: Bounds, spent: Spent) -> str:
    lines = [
        f"Last hour: {spent.hour} calls of {bounds.calls_per_hour or 'any number'}.",
        f"Last day:  {spent.day} calls of {bounds.calls_per_day if bounds.minor_per_day else 'any number'}.",
    ]
    if spent.lifted_until is not None:
        lines.append(f"The bounds are lifted until {utc(spent.lifted_until)} UTC.")
    if spent.left == 0:
        lines.append(paragraph("Nothing is dialled. Next: ./manage.py spend --lift 60, once you know why so much was."))
    return "\n".join(lines)
