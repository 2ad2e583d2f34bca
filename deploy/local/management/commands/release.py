"""./manage.py release: rebuild what a restored database lacks, look at it, and let the application use it again."""

import os
import sys
import time
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
from reminders import rebuild, wiring
from reminders.rebuild import Gathered, Rebuilt

BEFORE: Final = timedelta(minutes=10)


class Command(BaseCommand):
    """Works as the owner, since the application's role may not sign in yet."""

    help = "End the quarantine of a restored database: rebuild from the carrier what it lacks, check, and open it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How sure."""
        parser.add_argument("--anyway", action="store_true", help="open it although something was found")

    def handle(self, *_: object, **options: Any) -> None:
        """Do it; done again it changes nothing. CommandError where something stands against it."""
        restored = backup.restored(home())
        if restored is None:
            self.stdout.write("The database is in no quarantine.")
            return
        _become_the_owner()
        self._await_lists(restored.stopped_at)
        began = time.monotonic()
        with connection.cursor() as cursor:
            # Whatever is lost of it is rebuilt again; the commit that opens the database waits for all of it.
            cursor.execute("SET synchronous_commit = off")
        reached = rebuild.reached(moment=restored.to, carriers=wiring.carriers(), now=timezone.now())
        books = [rebuild.gather(carrier=one, since=reached - BEFORE) for one in wiring.carriers()]
        self._refuse(_not_known(books), anyway=options["anyway"])
        rebuilt = rebuild.rebuild(
            gathered=books,
            moment=reached,
            stopped_at=restored.stopped_at,
            policy=wiring.policy(),
            now=timezone.now(),
        )
        self._tell(books, rebuilt, seconds=time.monotonic() - began)
        self._audit()
        self._refuse(_rung_again(rebuilt), anyway=options["anyway"])
        backup.release(home(), url=_superuser_url())
        self.stdout.write("Released: texts are taken, and what is due rings.")

    def _await_lists(self, stopped_at: datetime) -> None:
        """What was asked of the carrier last stands in its lists once the look-up horizon is over."""
        settled_at = stopped_at + timedelta(seconds=settings.RINGBACK_LOOKUP_HORIZON_SECONDS)
        wait = (settled_at - timezone.now()).total_seconds()
        if wait > 0:
            self.stdout.write(f"Waiting {wait:.0f} s, until the carrier's lists show everything …")
            self.stdout.flush()
            time.sleep(wait)

    def _refuse(self, against: Sequence[str], *, anyway: bool) -> None:
        if not against:
            return
        said = "; ".join(against)
        if not anyway:
            raise CommandError(f"Not released: {said}. --anyway opens it all the same.", returncode=1)
        self.stdout.write(f"All the same: {said}.")

    def _tell(self, books: Sequence[Gathered], rebuilt: Rebuilt, *, seconds: float) -> None:
        texts, calls = sum(len(one.texts) for one in books), sum(len(one.calls) for one in books)
        self.stdout.write(
            f"{texts} texts since then, {rebuilt.fetched} were missing; {calls} calls, {rebuilt.placed} were missing; "
            f"{rebuilt.ended} attempts ended, {rebuilt.keys} keys pressed ({seconds:.1f} s)."
        )
        if rebuilt.going_on:
            self.stdout.write(f"{rebuilt.going_on} calls still go on: their outcomes are looked up.")
        if rebuilt.strangers:
            self.stdout.write(
                f"{len(rebuilt.strangers)} calls belong to nothing known here: not charged, a break is open for each."
            )

    def _audit(self) -> None:
        """For the eyes of who releases: what is overdue here is overdue because nothing may ring yet."""
        try:
            call_command("audit", stdout=self.stdout)
        except SystemExit as found:
            self.stdout.write(f"The audit ended with {found.code}; what is overdue is due to the quarantine.")


def _not_known(books: Sequence[Gathered]) -> list[str]:
    """What the carrier does not say, so that nothing is rebuilt yet."""
    against = [f"{one.carrier} could not be asked" for one in books if not one.is_asked]
    against += [f"{one.carrier} lists more than is read" for one in books if one.is_asked and not one.is_complete]
    untold = sum(len(one.untold) for one in books)
    if untold:
        against.append(
            f"which keys were pressed in {untold} answered calls is not known "
            "(Twilio tells it 15 minutes after a call; without it a snooze, and a wish not to be rung again, is lost)"
        )
    return against


def _rung_again(rebuilt: Rebuilt) -> list[str]:
    again = rebuild.due(numbers=[number for _, number in rebuilt.strangers], now=timezone.now())
    return [f"{len(again)} people had calls that belong to nothing known, and would be rung again now"] if again else []


def _become_the_owner() -> None:
    if settings.DATABASES["default"]["USER"] == postgres.APPLICATION:
        environment = {**os.environ, "DATABASE_URL": settings.OWNER_DATABASE_URL}
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606


def _superuser_url() -> str:
    password = quote(home().secret("postgres_superuser_password"), safe="")
    return f"postgresql://{postgres.SUPERUSER}:{password}@{settings.OWNER_DATABASE_URL.rpartition('@')[2]}"
