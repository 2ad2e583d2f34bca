"""./manage.py statement NUMBER: what a person was charged, each line with its evidence, and what they owe."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from billing.queries import ChargeLine
from billing.statements import Statement, statement
from reminders import history, limits
from reminders.management.asking import Asking, money, number_argument, plain, rfc3339, utc
from reminders.tables import Column, paragraph, table

COLUMNS = (
    Column(title="when (UTC)"),
    Column(title="what"),
    Column(title="amount", right=True),
    Column(title="for"),
)
WORDS = {"sms": "text", "call": "call", "refund": "refund", "credit": "paid"}

Line = tuple[ChargeLine, UUID | None, int | None, str]


class Command(Asking):
    """Reads one account in one snapshot."""

    help = "Show what a person was charged, with the evidence of each charge, and their balance."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose statement."""
        number_argument(parser)
        super().add_arguments(parser)

    def handle(self, *_: object, **options: Any) -> None:
        """Print it."""
        with history.lately(seconds=limits.AUDIT_SECONDS):
            person = self.person(options["number"])
            found = statement(account_id=person.account_id)
            charges = history.lines(charges=found.charges, known={})
            credits_ = history.lines(charges=found.credits, known={})
        if options["json"]:
            self.stdout.write(json.dumps(_json(person.number, found, charges, credits_), indent=1))
        else:
            self.stdout.write(_text(person.number, found, charges, credits_))


def _json(number: str, found: Statement, charges: list[Line], credits_: list[Line]) -> dict[str, Any]:
    return {
        "number": number,
        "currency": found.currency,
        "balance_minor": found.balance_minor,
        "charges": [_json_line(line) for line in charges],
        "credits": [_json_line(line) for line in credits_],
    }


def _json_line(line: Line) -> dict[str, Any]:
    charge, reminder, number, _ = line
    return {
        "at": rfc3339(charge.at),
        "kind": charge.kind,
        "amount_minor": charge.amount_minor,
        "evidence": plain(dict(charge.evidence)),
        "reminder": str(reminder) if reminder else None,
        "reminder_number": number,
        "transaction": str(charge.transaction_id),
    }


def _text(number: str, found: Statement, charges: list[Line], credits_: list[Line]) -> str:
    rows = [_row(line, found.currency) for line in sorted([*charges, *credits_], key=lambda line: line[0].at)]
    told = [f"Statement of {number}", ""]
    told.append(table(columns=COLUMNS, rows=rows) if rows else "Nothing was charged.")
    owed = f"They owe {money(-found.balance_minor, found.currency)}." if found.balance_minor < 0 else ""
    told += ["", f"Balance {money(found.balance_minor, found.currency)}. {owed}".rstrip()]
    told.append(paragraph(f"Next: ./manage.py trace {number} (everything that happened)."))
    return "\n".join(told)


def _row(line: Line, currency: str) -> tuple[str, ...]:
    charge, _, number, _ = line
    about = [f"#{number}"] if number is not None else []
    words = (charge.evidence.get(name) for name in ("sid", "carrier_sid", "answered_by", "note", "reason"))
    about += [str(word) for word in words if word]
    if charge.evidence.get("pressed"):
        about.append(f"pressed {charge.evidence['pressed']}")
    if charge.kind == "sms" and charge.evidence.get("segments", 1) != 1:
        about.append(f"{charge.evidence['segments']} segments")
    return (utc(charge.at), WORDS[charge.kind], money(charge.amount_minor, currency), " ".join(about))
