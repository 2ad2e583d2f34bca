"""./manage.py release: fetch what a restored database lacks, look at it, and let the application use it again."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from deploy.local import backup, postgres
from deploy.local.home import home
from reminders import limits, reconcile, wiring
from reminders.carriers import session
from reminders.carriers.base import Carrier, CarrierError

BEFORE: Final = timedelta(minutes=10)
_DUE: Final = (
    "SELECT DISTINCT s.number FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id"
    " WHERE t.kind = 'ring' AND t.due_at <= now()"
)
_KNOWN: Final = "SELECT carrier_sid FROM reminders_attempt WHERE carrier_sid = ANY(%s)"


class Command(BaseCommand):
    """Works as the owner, since the application's role may not sign in yet."""

    help = "End the quarantine of a restored database: fetch from the carrier what it lacks, check, and open it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How sure."""
        parser.add_argument("--anyway", action="store_true", help="open it although something was found")

    def handle(self, *_: object, **options: Any) -> None:
        """Do it; done again it changes nothing. CommandError where something stands against it."""
        moment = backup.restored_to(home())
        if moment is None:
            self.stdout.write("The database is in no quarantine.")
            return
        _become_the_owner()
        now, since = timezone.now(), moment - BEFORE
        against = [*self._fetch(since, now), *self._rung(since)]
        self._audit()
        if against and not options["anyway"]:
            raise CommandError(
                "Not released: " + "; ".join(against) + ". --anyway opens it all the same.", returncode=1
            )
        backup.release(home(), url=_superuser_url())
        self.stdout.write("Released: texts are taken, and what is due rings.")

    def _fetch(self, since: datetime, now: datetime) -> list[str]:
        """The texts that the carrier took and the database lacks; what stands against going on."""
        away = []
        for carrier in wiring.carriers():
            found = reconcile.reconcile(carrier=carrier, since=since, now=now)
            self.stdout.write(
                f"{carrier.name}: {found.messages} texts since {since.isoformat()}, {found.fetched} fetched"
            )
            if not found.asked:
                away.append(f"{carrier.name} could not be asked for its texts")
        return away

    def _rung(self, since: datetime) -> list[str]:
        """Who would be rung although the carrier has a call to them that the database does not know."""
        with connection.cursor() as cursor:
            cursor.execute(_DUE)
            numbers = [number for (number,) in cursor.fetchall()]
        try:
            known = sum(_has_unknown_call(wiring.carriers(), number, since) for number in numbers)
        except (CarrierError, TimeoutError):
            return ["the carrier could not be asked for its calls"]
        self.stdout.write(f"{len(numbers)} people have something due; {known} of them had calls that are unknown here")
        return [f"{known} people may be rung a second time"] if known else []

    def _audit(self) -> None:
        """For the eyes of who releases: what is overdue here is overdue because nothing may ring yet."""
        try:
            call_command("audit", stdout=self.stdout)
        except SystemExit as found:
            self.stdout.write(f"The audit ended with {found.code}; what is overdue is due to the quarantine.")


def _has_unknown_call(carriers: Sequence[Carrier], number: str, since: datetime) -> bool:
    for carrier in carriers:
        calls = session.run(carrier.calls_to(number, since=since), within_seconds=limits.CARRIER_TIMEOUT_SECONDS)
        sids = [call.sid for call in calls]
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, [sids])
            if len(set(sids)) > len(cursor.fetchall()):
                return True
    return False


def _become_the_owner() -> None:
    if settings.DATABASES["default"]["USER"] == postgres.APPLICATION:
        environment = {**os.environ, "DATABASE_URL": settings.OWNER_DATABASE_URL}
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606


def _superuser_url() -> str:
    password = quote(home().secret("postgres_superuser_password"), safe="")
    return f"postgresql://{postgres.SUPERUSER}:{password}@{settings.OWNER_DATABASE_URL.rpartition('@')[2]}"
