"""./manage.py doctor: what is found, missing, running."""

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from deploy.local.__main__ import main


class Command(BaseCommand):
    """Looks at this machine and at the system on it; changes nothing."""

    help = "Say what is found, missing and running, and what to do about it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to say it."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_: object, **options: object) -> None:
        """Say it."""
        sys.exit(main(["doctor", *(["--json"] if options["json"] else [])]))
