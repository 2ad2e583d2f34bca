"""./manage.py restore --to TIME: bring the database back to a moment, in quarantine."""

import os
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Replaces itself by the local command, which opens no database of Django's."""

    help = "Bring the stopped database back to a moment; it starts in quarantine until ./manage.py release."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which moment."""
        parser.add_argument("--to", required=True, metavar="TIME", help="with its offset: 2026-11-26T12:30:00+00:00")

    def handle(self, *_: object, **options: object) -> None:
        """Do it."""
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "deploy.local", "restore", "--to", str(options["to"])])  # noqa: S606
