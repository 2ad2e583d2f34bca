"""./manage.py release: rebuild what a restored database lacks, look at it, and let the application use it again."""

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from reminders import limits, lineage, rebuild, wiring, witness
from reminders.lineage import Lost
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
        _become_the_owner()
        found = self.lost()
        if found is None:
            self.stdout.write("The database is in no quarantine.")
            return
        # Where nothing says how far it goes, it goes nowhere: as far back as the carrier is asked at all.
        moment = found.reached_at or found.declared_at - timedelta(days=limits.BACKFILL_DAYS_MAX)
        self._await_lists(found.declared_at)
        began = time.monotonic()
        with connection.cursor() as cursor:
            # Whatever is lost of it is rebuilt again; the commit that opens the database waits for all of it.
            cursor.execute("SET synchronous_commit = off")
        reached = rebuild.reached(moment=moment, carriers=wiring.carriers(), now=timezone.now())
        books = [rebuild.gather(carrier=one, since=reached - BEFORE) for one in wiring.carriers()]
        self._refuse(_not_known(books), anyway=options["anyway"])
        rebuilt = rebuild.rebuild(
            gathered=books,
            moment=reached,
            stopped_at=found.declared_at,
            policy=wiring.policy(),
            now=timezone.now(),
        )
        self._tell(books, rebuilt, seconds=time.monotonic() - began)
        self._audit()
        self._refuse(_rung_again(rebuilt), anyway=options["anyway"])
        self.open()
        self.stdout.write("Released: texts are taken, and what is due rings.")

    def lost(self) -> Lost | None:
        """What is to be made good; None where there is nothing."""
        return lineage.lost(witnesses=witness.told(), now=timezone.now())

    def open(self) -> None:
        """Begin a new lineage, by which every process knows that it may go on."""
        lineage.release(witnesses=witness.told())

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
    owner = settings.DATABASES.get("owner")
    if owner is not None and settings.DATABASES["default"]["USER"] != owner["USER"]:
        environment = {**os.environ, "DATABASE_URL": settings.OWNER_DATABASE_URL}
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606
