"""The event loop's way in: texts at once are written together, and those of one number stay in their order."""

import asyncio
import base64
import hmac
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import OperationalError

from reminders import arrival, door, front, intake
from reminders.arrival import Arrival
from reminders.crew import Crew
from reminders.front import Front, Told
from reminders.spool import Spooled
from tests.environment import SERVICE_NUMBER
from tests.world import promises
from tests.world.world import World

PEOPLE: Final = ("+12025550101", "+12025550102", "+12025550103", "+12025550104")
TEA: Final = "Remind me in 1 minute about tea"
CAKE: Final = "Remind me in 2 minutes about cake"
SMS: Final = "/carriers/twilio/sms"
WAIT_SECONDS: Final = 20.0

Text = tuple[str, str, str]


def _sms(way_in: Front, text: Text, **more: str) -> "asyncio.Task[Told]":
    sender, body, sid = text
    form = {"MessageSid": f"SM{int(sid):032x}", "From": sender, "To": SERVICE_NUMBER, "Body": body, **more}
    payload = settings.RINGBACK_PUBLIC_BASE + SMS + "".join(name + form[name] for name in sorted(form))
    digest = hmac.digest(settings.RINGBACK_TWILIO_AUTH_TOKEN.encode(), payload.encode(), "sha1")
    signature = base64.b64encode(digest).decode()
    return asyncio.create_task(way_in.sms(body=urlencode(form).encode(), address=SMS, signature=signature))


def _texts(*texts: Text) -> list[int]:
    """Send all at once, in this order; the statuses."""

    async def send() -> list[int]:
        way_in = Front(crew=Crew(threads=4, name="test"))
        return [one.status_code for one in await asyncio.gather(*(_sms(way_in, text) for text in texts))]

    return asyncio.run(send())


def _subjects(world: World, sender: str) -> list[tuple[int, str]]:
    return world.rows(
        "SELECT r.number, r.subject FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id"
        " WHERE s.number = %s ORDER BY r.number",
        sender,
    )


def test_texts_of_different_people_are_written_by_one_statement(world: World) -> None:
    assert _texts(*((person, TEA, str(at)) for at, person in enumerate(PEOPLE))) == [200] * 4
    assert world.rows("SELECT count(*) FROM reminders_message GROUP BY xmin") == [(4,)]
    assert len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'")) == 4
    promises.history_gives_the_rows(world)
    promises.nobody_is_charged_twice(world)


def test_texts_of_one_person_are_taken_one_after_the_other(world: World) -> None:
    answers = _texts((PEOPLE[0], TEA, "1"), (PEOPLE[1], TEA, "2"), (PEOPLE[0], CAKE, "3"), (PEOPLE[0], "DELETE 1", "4"))
    assert answers == [200] * 4
    assert _subjects(world, PEOPLE[0]) == [(1, "tea"), (2, "cake")]
    states = world.rows(
        "SELECT state FROM reminders_reminder WHERE subject <> 'tea' OR state = 'cancelled' ORDER BY number"
    )
    assert states == [("cancelled",), ("scheduled",)]
    promises.history_gives_the_rows(world)
    promises.nobody_is_charged_twice(world)


def test_a_text_that_is_delivered_twice_at_once_is_accepted_once(world: World) -> None:
    assert _texts(*[(PEOPLE[0], TEA, "1")] * 3) == [200] * 3
    assert _subjects(world, PEOPLE[0]) == [(1, "tea")]
    assert len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'")) == 1


def _stop_whose_thread_is_late() -> list[str]:
    """STOP, which goes alone, while every thread has other work; then a reminder of the same person."""
    go = threading.Event()

    async def send() -> list[str]:
        crew = Crew(threads=1, name="test")
        way_in = Front(crew=crew)
        busy = crew.call(lambda: go.wait(WAIT_SECONDS))
        stop = _sms(way_in, (PEOPLE[0], "STOP", "2"), OptOutType="STOP")
        late = _sms(way_in, (PEOPLE[0], CAKE, "3"))
        beside = _sms(way_in, (PEOPLE[1], TEA, "4"))
        assert (await beside).status_code == 200, "others pass meanwhile"
        go.set()
        assert await busy
        return [(await one).content.decode() for one in (stop, late)]

    return asyncio.run(send())


def test_a_text_does_not_overtake_one_of_its_number_that_has_no_thread_yet(world: World) -> None:
    assert _texts((PEOPLE[0], TEA, "1")) == [200]
    answers = _stop_whose_thread_is_late()
    assert "cake" not in "".join(answers)
    assert _subjects(world, PEOPLE[0]) == [(1, "tea")]


def test_negative_control_without_the_count_of_those_that_go_alone_it_overtakes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def alone(self: Front, text: Spooled, judged: door.Judged) -> object:
        return await self._crew.call(lambda: front._alone(text, judged))

    monkeypatch.setattr(Front, "_by_itself", alone)
    assert _texts((PEOPLE[0], TEA, "1")) == [200]
    _stop_whose_thread_is_late()
    assert _subjects(world, PEOPLE[0]) == [(1, "tea"), (2, "cake")]


def test_a_text_that_cannot_be_read_fails_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[..., Arrival] = arrival.read

    def poisoned(**given: object) -> Arrival:
        if "poison" in str(given["message"]):
            raise ZeroDivisionError
        return read(**given)

    monkeypatch.setattr(arrival, "read", poisoned)

    async def send() -> list[object]:
        way_in = Front(crew=Crew(threads=2, name="test"))
        texts = ((PEOPLE[0], TEA, "1"), (PEOPLE[1], "Remind me in 1 minute about poison", "2"), (PEOPLE[2], TEA, "3"))
        sent = await asyncio.gather(*(_sms(way_in, text) for text in texts), return_exceptions=True)
        return [one.status_code if isinstance(one, Told) else type(one) for one in sent]

    assert asyncio.run(send()) == [200, ZeroDivisionError, 200]
    assert [len(_subjects(world, person)) for person in PEOPLE[:3]] == [1, 0, 1]


def test_it_says_later_where_the_database_is_away_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(rows: dict[int, dict[str, object]]) -> list[int]:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(intake, "_remind", gone)
    texts = [(person, TEA, str(at)) for at, person in enumerate(PEOPLE[:3])]
    assert _texts((PEOPLE[3], "HELP", "9"), *texts) == [200, 503, 503, 503], "who goes alone is no worse for the others"
    assert world.rows("SELECT kind FROM reminders_message") == [("help",)]


def test_it_refuses_what_is_forged_before_any_work(world: World) -> None:
    async def send() -> int:
        way_in = Front(crew=Crew(threads=1, name="test"))
        body = urlencode({"MessageSid": "SM" + "0" * 32, "From": PEOPLE[0], "To": SERVICE_NUMBER, "Body": TEA}).encode()
        return (await way_in.sms(body=body, address=SMS, signature="AAAA")).status_code

    assert asyncio.run(send()) == 403
    assert world.rows("SELECT FROM reminders_messagekey") == []
