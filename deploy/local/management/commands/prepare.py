"""./manage.py prepare: the step of `make up` that brings the database to what the code needs."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from deploy.local.home import home
from deploy.local.settings import STAFF
from reminders import witness


class Command(BaseCommand):
    """Migrates as the owner and makes the staff sign-in."""

    help = "Migrate as the owner and make the staff sign-in. `make up` runs it where it is needed."
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> None:
        """Do it; done again it changes nothing."""
        witness.ignore()
        database = "owner" if "owner" in settings.DATABASES else "default"
        call_command("migrate", database=database, interactive=False, verbosity=1)
        staff = get_user_model().objects.db_manager(database)
        if not staff.filter(username=STAFF).exists():
            staff.create_superuser(username=STAFF, email="", password=home().secret("staff_password"))
            self.stdout.write(f"made the staff sign-in {STAFF}")
