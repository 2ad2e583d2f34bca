"""The carrier's books: every call and message that it remembers, by id and by phone number."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local.carrier.behaviour import Behaviour, BehaviourError
from deploy.local.carrier.behaviour import change as change_behaviour
from deploy.local.carrier.journal import Journal, Row
from deploy.local.carrier.records import Call, Message, kept, restored

KEPT = 50_000


class Phone:
    """What the carrier knows of one number, oldest first (dicts, for their order and quick removal)."""

    __slots__ = ("calls", "messages")

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Message] = {}


class Books:
    """Calls, messages, opt-outs and behaviour, written to the journal as they change."""

    def __init__(self, *, directory: Path, kept_at_most: int = KEPT) -> None:
        # Ordered dicts: the oldest leave from the front, which a plain dict makes slow.
        self.calls: OrderedDict[str, Call] = OrderedDict()
        self.messages: OrderedDict[str, Message] = OrderedDict()
        self.phones: dict[str, Phone] = {}
        self.opted_out: dict[tuple[str, str], None] = {}
        self.behaviour = Behaviour()
        self.watchers: dict[str, set[asyncio.Event]] = {}
        self._kept_at_most = kept_at_most
        self._journal = Journal(directory=directory, carry=self._open_rows)

    def load(self) -> None:
        """Read the journal back and compact it."""
        for row in self._journal.read():
            self._replay(row)
        self._journal.start(rows=self._all_rows())

    def close(self) -> None:
        """Leave the journal synced."""
        self._journal.close()

    def add(self, record: Call | Message) -> None:
        """Enter a new call or message."""
        self._journal.append(["call" if isinstance(record, Call) else "message", kept(record)])
        self._enter(record)
        self.notify(record.person)

    def change(self, record: Call | Message, **values: Any) -> None:
        """Set fields of a record and write them down."""
        for name, value in values.items():
            setattr(record, name, value)
        self._journal.append(["set", record.sid, values])
        self.notify(record.person)

    def opt(self, *, account: str, number: str, out: bool) -> bool:
        """Opt a number out or in again; whether that changed anything."""
        key = (account, number)
        if (key in self.opted_out) == out:
            return False
        self._journal.append(["opt", account, number, out])
        self._opt(key, out)
        return True

    def behave(self, wanted: dict[str, Any]) -> None:
        """Change the behaviour; raises BehaviourError."""
        change_behaviour(behaviour=self.behaviour, wanted=wanted)
        self._journal.append(["behaviour", self.behaviour.shown()])

    def notify(self, number: str) -> None:
        """Wake whoever watches this number."""
        for event in self.watchers.get(number, ()):
            event.set()

    def _enter(self, record: Call | Message) -> None:
        phone = self.phones.get(record.person)
        if phone is None:
            phone = self.phones[record.person] = Phone()
        if isinstance(record, Call):
            phone.calls[record.sid] = self.calls[record.sid] = record
            if len(self.calls) > self._kept_at_most:
                self._forget_oldest(self.calls)
        else:
            phone.messages[record.sid] = self.messages[record.sid] = record
            if len(self.messages) > self._kept_at_most:
                self._forget_oldest(self.messages)

    def _forget_oldest(self, kind: OrderedDict[str, Any]) -> None:
        """The oldest that has ended; one that is still open stays, and with it the few before it."""
        record = next((one for one in kind.values() if one.ended), None)
        if record is None:
            return
        sid = record.sid
        del kind[sid]
        phone = self.phones[record.person]
        phone.calls.pop(sid, None)
        phone.messages.pop(sid, None)
        if not phone.calls and not phone.messages:
            del self.phones[record.person]

    def _opt(self, key: tuple[str, str], out: bool) -> None:
        if out:
            self.opted_out[key] = None
        else:
            self.opted_out.pop(key, None)

    def _replay(self, row: Row) -> None:
        match row:
            case ["call" | "message" as kind, dict() as values]:
                self._enter(restored(kind, values))
            case ["set", str() as sid, dict() as values]:
                record = self.calls.get(sid) or self.messages.get(sid)
                for name, value in values.items() if record else ():
                    setattr(record, name, value)
            case ["opt", str() as account, str() as number, bool() as out]:
                self._opt((account, number), out)
            case ["behaviour", dict() as values]:
                self._behave_again(values)

    def _behave_again(self, values: dict[str, Any]) -> None:
        try:
            change_behaviour(behaviour=self.behaviour, wanted=values)
        except BehaviourError:
            # Another version of this program wrote it: its defaults serve better than no carrier.
            self.behaviour = Behaviour()

    def _standing_rows(self) -> Iterator[Row]:
        yield ["behaviour", self.behaviour.shown()]
        for account, number in self.opted_out:
            yield ["opt", account, number, True]

    def _all_rows(self) -> Iterator[Row]:
        yield from self._standing_rows()
        yield from (["call", kept(call)] for call in self.calls.values())
        yield from (["message", kept(message)] for message in self.messages.values())

    def _open_rows(self) -> Iterator[Row]:
        yield from self._standing_rows()
        yield from (["call", kept(call)] for call in self.calls.values() if not _done(call))
        yield from (["message", kept(message)] for message in self.messages.values() if not _done(message))


def _done(record: Call | Message) -> bool:
    return record.ended and record.told >= len(record.events)
