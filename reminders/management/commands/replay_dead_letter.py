"""./manage.py replay_dead_letter [ID … | --all]: list the dead letters, or replay them."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from reminders import dead_letters, dispatch, wiring
from reminders.dead_letters import DeadLetter
from reminders.management.asking import Asking, rfc3339, utc
from reminders.tables import Column, paragraph, table

COLUMNS = (Column(title="died (UTC)"), Column(title="id"), Column(title="whose, why"))
BY = "command"


class Command(Asking):
    """Without an id it only lists. A replay is one guarded move: done again, it does nothing.

    What is a day late, or in quiet hours, does not ring at once: it says so.
    """

    help = "List the dead letters; with an ID (or --all), let them ring again, or say why not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which ones."""
        parser.add_argument("ids", metavar="ID", nargs="*", help="a dead letter's id; none: list them")
        parser.add_argument("--all", action="store_true", help="every one that is listed")
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """List or replay."""
        wanted = [self._id(word) for word in options["ids"]]
        if wanted and options["all"]:
            self.refuse("Name the ids or say --all, not both.")
        if not wanted and not options["all"]:
            self._list(dead_letters.waiting(), as_json=options["json"])
            return
        ids = wanted or [letter.id for letter in dead_letters.waiting()]
        self._replay(ids, as_json=options["json"])

    def _id(self, word: str) -> UUID:
        try:
            return UUID(word)
        except ValueError:
            self.refuse(f"{word!r} is not the id of a dead letter: ./manage.py replay_dead_letter lists them.")

    def _list(self, letters: Sequence[DeadLetter], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"dead_letters": [_json(letter) for letter in letters]}, indent=1))
        elif not letters:
            self.stdout.write("There are no dead letters.\nNext: ./manage.py audit (every promise).")
        else:
            rows = [
                (utc(one.died_at), str(one.id), f"{one.phone} #{one.number} {one.subject}: {one.cause}")
                for one in letters
            ]
            said = "Next: ./manage.py replay_dead_letter ID, or --all, once the cause is mended."
            self.stdout.write("\n".join([table(columns=COLUMNS, rows=rows), "", paragraph(said)]))

    def _replay(self, ids: Sequence[UUID], *, as_json: bool) -> None:
        now = timezone.now()
        misfire = wiring.policy().misfire
        fates = {one: dead_letters.replay(reminder_id=one, by=BY, misfire=misfire, at=now) for one in ids}
        replayed = {one: fate for one, fate in fates.items() if fate is not None}
        if replayed:
            dispatch.notify()
        left = [one for one in fates if one not in replayed]
        if as_json:
            told = {
                "replayed": [str(one) for one in replayed],
                "fates": {str(one): fate.name.lower() for one, fate in replayed.items()},
                "not_dead": [str(one) for one in left],
            }
            self.stdout.write(json.dumps(told, indent=1))
        else:
            lines = [f"{one} {fate}." for one, fate in replayed.items()]
            lines += [f"{one} is not a dead letter (any more); nothing was changed." for one in left]
            lines = lines or ["There are no dead letters."]
            self.stdout.write("\n".join([*lines, "Next: ./manage.py trace NUMBER (what came of it)."]))
        if left:
            self.refuse("Not every one could be replayed.")


def _json(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "number": letter.phone,
        "reminder_number": letter.number,
        "subject": letter.subject,
        "due_at": rfc3339(letter.due_at),
        "died_at": rfc3339(letter.died_at),
        "cause": letter.cause,
    }
