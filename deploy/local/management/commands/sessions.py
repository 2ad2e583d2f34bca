"""./manage.py sessions: who is in the database, and who holds up whom; --end ends the sessions that are listed."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deploy.local import sessions
from deploy.local.home import home
from deploy.local.problems import CannotStartError


class Command(BaseCommand):
    """Without --end it changes nothing."""

    help = "List the database's sessions, oldest transaction first; with --end, end those that are listed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which ones, and whether to end them."""
        parser.add_argument("--blocking", action="store_true", help="only those that hold up others")
        parser.add_argument("--strangers", action="store_true", help="only those of no process of Ringback")
        parser.add_argument("--older", type=float, metavar="SECONDS", help="only those in a transaction for so long")
        parser.add_argument("--end", action="store_true", help="end the listed ones (choose some first)")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say it, and do it."""
        if options["end"] and not (options["blocking"] or options["strangers"] or options["older"] is not None):
            raise CommandError("Choose whom to end: --blocking, --strangers or --older SECONDS.", returncode=2)
        try:
            found = sessions.listed(
                home(),
                blocking=options["blocking"],
                strangers=options["strangers"],
                older_seconds=options["older"],
            )
            self.stdout.write(json.dumps(found, indent=1) if options["json"] else sessions.shown(found))
            if options["end"]:
                self.stdout.write(f"Ended {sessions.end(home(), found)}.")
        except CannotStartError as problem:
            raise CommandError(str(problem), returncode=problem.code) from None
