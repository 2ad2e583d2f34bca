"""./manage.py alerts: what fires now, as the watch saw it last."""

import difflib
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from config.observing import told
from config.observing.alerting import known_names
from config.observing.slos import WATCH_ABSENT, looked_for


class Command(BaseCommand):
    """Exit code 0: nothing fires; 1: something does; 2: nobody looks, or there is no such alert."""

    help = "Say what fires now, as the watch saw it last."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json, and the name of one alert."""
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("name", nargs="?", default="", help="look at this alert alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell it."""
        name: str = options["name"]
        if name and name not in known_names(looked_for()):
            self.stderr.write(_unknown(name))
            sys.exit(2)
        said = told.read(home=settings.RINGBACK_HOME, at=timezone.now())
        firing = [one for one in said["alerts"] if name in ("", one["name"])]
        if options["json"]:
            self.stdout.write(json.dumps({**said, "alerts": firing}, indent=1))
        elif not said["looks"]:
            since = f"has looked since {said['looked_at']}" if said["looked_at"] else "looks here"
            self.stdout.write(f"Nobody {since}: {WATCH_ABSENT} fires, see docs/runbooks/{WATCH_ABSENT}.md.")
        else:
            for one in firing:
                self.stdout.write(_line(one))
            if firing and said["silent"]:
                self.stdout.write(f"Silent at /metrics: {', '.join(said['silent'])}.")
            if not firing:
                self.stdout.write(f"{name or 'Nothing'} {'does not fire' if name else 'fires'}.")
        sys.exit(2 if not said["looks"] else int(any(not one["silenced_by"] for one in firing)))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, known_names(looked_for()), n=1)
    return (
        f"There is no alert {name!r}: {f'did you mean {near[0]}?' if near else 'docs/reference/alerts.md lists them.'}"
    )


def _line(one: dict[str, Any]) -> str:
    cause = f" (silent: {one['silenced_by']} pages for it)" if one["silenced_by"] else ""
    value = "" if one["value"] is None else f" [{one['value']:g}]"
    return f"{one['severity']}  {one['name']} for {one['for_seconds']:.0f} s{value}: {one['says']}{cause}"
