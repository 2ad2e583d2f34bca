"""./manage.py spool: what waits on this host's disk for the database, and what was put aside."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from reminders import drainer
from reminders.management.asking import Asking, rfc3339, utc
from reminders.spool import Full, Spool, Spooled
from reminders.tables import Column, paragraph, table

COLUMNS = (Column(title="received (UTC)"), Column(title="message"), Column(title="of, and what"))
LISTED_MAX = 1_000


class Command(Asking):
    """Reads the files; nothing is asked of the database."""

    help = "Show the texts that wait in this host's spool; --again queues what was put aside."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """List, or queue again."""
        parser.add_argument("--again", action="store_true", help="queue again what was put aside, once mended")
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """List or queue again."""
        if not settings.RINGBACK_SPOOL:
            self.refuse("The spool is off here: set RINGBACK_SPOOL=1, or run a tier that has it (isolated).")
        try:
            spool = drainer.spool()
            assert spool is not None
            if options["again"]:
                self._again(spool, as_json=options["json"])
            else:
                self._list(spool, as_json=options["json"])
        except OSError as error:
            self.refuse(f"The spool in {settings.RINGBACK_SPOOL_DIR} cannot be read: {error.strerror}.")

    def _again(self, spool: Spool, *, as_json: bool) -> None:
        try:
            count = spool.put_back(now=timezone.now())
        except Full as error:
            self.refuse(f"The spool takes nothing now: {error.reason}.")
        said = f"{count} queued again." if count else "Nothing was put aside because intake did not take it."
        self.stdout.write(json.dumps({"queued": count}) if as_json else said)

    def _list(self, spool: Spool, *, as_json: bool) -> None:
        standing, texts, damaged = spool.standing(), list[Spooled](), 0
        for name in spool.waiting():
            contents = spool.read(name=name)
            texts += contents.texts
            damaged += len(contents.damaged)
        oldest = standing.oldest_at
        since = datetime.fromtimestamp(oldest, UTC) if oldest is not None else None
        if as_json:
            told = {
                "directory": str(spool.root),
                "takes": spool.takes(now=timezone.now()),
                "bytes": standing.bytes,
                "bytes_max": spool.bytes_max,
                "oldest_at": rfc3339(since),
                "damaged": damaged,
                "aside": sorted(place.name for place in spool.aside.iterdir()),
                "waiting": [_json(text) for text in texts[:LISTED_MAX]],
                "count": len(texts),
            }
            self.stdout.write(json.dumps(told, indent=1))
            return
        rows = [
            (utc(one.received_at), one.message.carrier_sid, f"{one.sender}: {one.message.body}")
            for one in texts[:LISTED_MAX]
        ]
        head = f"{len(texts)} texts wait in {spool.root}: {standing.bytes} of {spool.bytes_max} bytes."
        aside = f"{standing.aside} put aside in {spool.aside}." if standing.aside else ""
        said = "They are taken in order once the database takes writes. What was put aside: ./manage.py spool --again."
        self.stdout.write(
            "\n".join(filter(None, [head, table(columns=COLUMNS, rows=rows) if rows else "", aside, paragraph(said)]))
        )


def _json(text: Spooled) -> dict[str, Any]:
    return {
        "received_at": rfc3339(text.received_at),
        "sid": text.message.carrier_sid,
        "number": text.sender,
        "body": text.message.body,
    }
