"""The event loop's way in for texts: who waits for the database holds no thread, and is written with others.

What is plain, of a number of which nothing else is on its way, goes into a batch. Everything else, and what a batch
gives back, is done in a thread by the door, one text at a time. Texts of one number stay in the order of arrival.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db import close_old_connections
from django.http import HttpResponse

from billing.deadline import within
from reminders import door, drainer, intake, limits, metrics, views
from reminders.admission import Verdict
from reminders.arrival import Arrival
from reminders.crew import Crew
from reminders.door import Judged
from reminders.group_commit import Batches
from reminders.intake import Answer
from reminders.spool import Spooled

Headers = list[tuple[str, str]]
XML: Final[Headers] = [("content-type", views.XML)]


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered, as a server sends it: Django's response costs as much as the check of a signature."""

    status_code: int
    headers: Headers
    content: bytes


class Front:
    """One per event loop. `crew` does what goes alone; batches have threads of their own."""

    def __init__(self, *, crew: Crew) -> None:
        self._crew = crew
        self._alone: Counter[str] = Counter()  # texts of a number that a thread has, or will have
        self._batches: Batches[Spooled, Answer | Arrival | Exception] = Batches(
            do=door.take_in_together,
            crew=Crew(threads=limits.INTAKE_LEADERS_MAX, name="batch"),
            batch_max=limits.INTAKE_BATCH_MAX,
            at_work_max=limits.INTAKE_LEADERS_MAX,
            beside_min=limits.INTAKE_BESIDE_MIN,
            beside_seconds=limits.INTAKE_BESIDE_SECONDS,
            waiting_max=limits.INTAKE_WAITING_MAX,
        )

    async def sms(self, *, body: bytes, address: str, signature: str | None) -> Told:
        """`views.sms` for this loop: a POST of a form, of bounded size, to `address`, which has no query."""
        try:
            hook = views.opened(body=body, address=address, query={}, signature=signature)
            with views.span(name="intake", hook=hook):
                return await self._answer(views.text_of(hook=hook))
        except views.REFUSED as error:
            return shown(views.refusal(error=error))

    async def _answer(self, text: Spooled) -> Told:
        try:
            with metrics.INTAKE_SECONDS.time():
                answer = await self._take_in(text)
        except views.NOT_TAKEN as error:
            return shown(views.not_taken(error=error))
        return Told(200, XML, views.document(answer=answer).encode())

    async def _take_in(self, text: Spooled) -> Answer | None:
        sender = text.message.sender
        judged = door.judge(text=text)
        if self._may_wait(text, judged):
            with intake.turn_at_once(sender=sender) as is_mine:
                if is_mine:
                    return await self._together(text)
        return await self._by_itself(text, judged)

    def _may_wait(self, text: Spooled, judged: Judged) -> bool:
        """Whether it may go with others: no STOP, which waits for nobody, and nothing of its number is before it."""
        return (
            judged[0] is Verdict.ADMITTED
            and text.message.opt_out is None
            and text.message.sender not in self._alone
            and self._batches.takes()
            and door.may_go_with_others(text=text)
        )

    async def _by_itself(self, text: Spooled, judged: Judged) -> Answer | None:
        """In a thread, as soon as one is free; nothing of its number goes past it into a batch meanwhile."""
        sender = text.message.sender
        self._alone[sender] += 1
        try:
            return await self._crew.call(partial(_alone, text, judged))
        finally:
            self._alone[sender] -= 1
            if not self._alone[sender]:
                del self._alone[sender]

    async def _together(self, text: Spooled) -> Answer | None:
        """In a batch, and alone where that gave it back; its number's turn is ours meanwhile."""
        try:
            found = await self._batches.join(item=text)
            if isinstance(found, Exception):
                raise found
        except door.AWAY:  # it may have been written all the same: then the drain finds it, and changes nothing
            if drainer.spool() is None:
                raise
            await self._crew.call(partial(drainer.keep, text=text, why="failed"))
            return None
        if isinstance(found, Answer):
            return found
        return await self._crew.call(partial(_gave_back, text, found))


def shown(response: HttpResponse) -> Told:
    """A response of Django's, as it is sent."""
    return Told(response.status_code, list(response.items()), response.content)


def _alone(text: Spooled, judged: Judged) -> Answer | None:
    return _in_thread(text, partial(door.take_in, text=text, judged=judged))


def _gave_back(text: Spooled, arrived: Arrival) -> Answer | None:
    return _in_thread(text, partial(door.take_in_alone, text=text, arrived=arrived))


def _in_thread(text: Spooled, take: Callable[[], Answer | None]) -> Answer | None:
    try:
        with within(seconds=limits.CALLBACK_SECONDS) if drainer.spool() else nullcontext():
            answer = take()
            if answer is not None:
                door.tell_dispatchers(due=[(answer.due_at, text.received_at)])
            return answer
    finally:
        close_old_connections()
