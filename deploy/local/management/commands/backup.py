"""./manage.py backup: a base backup of the running database, verified."""

from django.core.management.base import BaseCommand

from deploy.local.backup import backup
from deploy.local.home import home


class Command(BaseCommand):
    """Keeps the last two, and the write-ahead log since the older one."""

    help = "Make and verify a base backup of the running database; the log since then is archived."
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> None:
        """Do it."""
        self.stdout.write(f"Made and verified: {backup(home())}")
