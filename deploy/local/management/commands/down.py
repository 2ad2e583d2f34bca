"""./manage.py down: stop what `up` started."""

import sys

from django.core.management.base import BaseCommand

from deploy.local.__main__ import main


class Command(BaseCommand):
    """Stops the system of this data directory."""

    help = "Stop the system that runs on this machine. The data is kept."
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> None:
        """Stop it."""
        sys.exit(main(["down"]))
