"""./manage.py release, for a database of ours: `./manage.py restore` has taken the application's role its sign-in."""

from urllib.parse import quote

from django.conf import settings

from deploy.local import backup, postgres
from deploy.local.home import home
from reminders.lineage import Lost
from reminders.management.commands import release


class Command(release.Command):
    """Knows by the mark that `restore` left what the database was brought back to."""

    def lost(self) -> Lost | None:
        """What the mark says, else what the witnesses say of a restore by other means."""
        restored = backup.restored(home())
        if restored is None:
            return super().lost()
        return Lost(declared_at=restored.stopped_at, reached_at=restored.to)

    def open(self) -> None:
        """A new lineage, and the role signs in again."""
        super().open()
        if backup.restored(home()) is not None:
            backup.release(home(), url=_superuser_url())


def _superuser_url() -> str:
    password = quote(home().secret("postgres_superuser_password"), safe="")
    return f"postgresql://{postgres.SUPERUSER}:{password}@{settings.OWNER_DATABASE_URL.rpartition('@')[2]}"
