"""./manage.py up: the whole system in the foreground."""

import os
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Replaces itself by the supervisor, which does not need Django; it opens no database itself."""

    help = "Run the whole system in the foreground: `make up` without the set-up. Ctrl-C stops it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which system."""
        parser.add_argument("--tier", default=os.environ.get("TIER") or "durable")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000")
        parser.add_argument("--lab", action="store_true", help="with the fault proxy between every two processes")

    def handle(self, *_: object, **options: object) -> None:
        """Become the supervisor."""
        sys.stdout.flush()
        words = ["up", "--tier", str(options["tier"]), "--port", str(options["port"])]
        words += ["--lab"] if options["lab"] else []
        os.execv(sys.executable, [sys.executable, "-m", "deploy.local", *words])  # noqa: S606
