"""./manage.py alerts: what fires now, as the watch saw it last."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from config.observing import status


class Command(BaseCommand):
    """Exit code 0: nothing fires; 1: something does; 2: nobody looks."""

    help = "Say what fires now, as the watch saw it last."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json, and the name of one alert."""
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("name", nargs="?", default="", help="look at this alert alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell it."""
        said = status.firing(home=settings.RINGBACK_HOME, at=timezone.now())
        firing = [one for one in said["alerts"] if options["name"] in ("", one["name"])]
        if options["json"]:
            self.stdout.write(json.dumps({**said, "alerts": firing}, indent=1))
        elif not said["looks"]:
            since = f"has looked since {said['looked_at']}" if said["looked_at"] else "looks here"
            self.stdout.write(f"Nobody {since}: see docs/runbooks/WatchAbsent.md.")
        else:
            for one in firing:
                self.stdout.write(_line(one))
            if not firing:
                self.stdout.write(f"{options['name'] or 'Nothing'} {'does not fire' if options['name'] else 'fires'}.")
        sys.exit(2 if not said["looks"] else int(any(not one["silenced_by"] for one in firing)))


def _line(one: dict[str, Any]) -> str:
    cause = f" (silent: {one['silenced_by']} pages for it)" if one["silenced_by"] else ""
    value = "" if one["value"] is None else f" [{one['value']:g}]"
    return f"{one['severity']}  {one['name']} for {one['for_seconds']:.0f} s{value}: {one['says']}{cause}"
