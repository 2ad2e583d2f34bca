"""Messages that are committed together: each guarded by its own person's version, each falling out by itself."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest
from django.db import OperationalError, connection

from reminders import arrival, intake
from reminders.arrival import Arrival
from reminders.carriers.base import Inbound
from reminders.group_commit import Group
from reminders.intake import Answer
from tests.races.interleaving import guard_off
from tests.world import promises
from tests.world.world import World

PEOPLE: Final = ("+12025550101", "+12025550102", "+12025550103", "+12025550104")
TEA: Final = "Remind me in 1 minute about tea"
CAKE: Final = "Remind me in 2 minutes about cake"
WAIT_SECONDS: Final = 20.0
POLLS_MAX: Final = 4000
VERSION: Final = ((" AND s.version = asked.version", ""),)
ONE_PER_NUMBER: Final = ("ALTER TABLE reminders_reminder DROP CONSTRAINT reminder_number",)
NO_POISON: Final = ("ALTER TABLE reminders_message ADD CONSTRAINT no_poison CHECK (body NOT LIKE '%poison%')",)


class Together:
    """Intake whose first batch waits for `go`, so that all others gather behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.between: Callable[[], object] | None = None
        self.group = Group(do=self._accept, batch_max=8, leaders_max=1)
        monkeypatch.setattr(intake, "_group", self.group)

    def _accept(self, arrivals: Sequence[Arrival]) -> list[Answer | None]:
        self.batches.append(len(arrivals))
        self.begun.set()
        assert self.go.wait(WAIT_SECONDS)
        return intake.accept_together(arrivals)

    def accept(self, world: World, *texts: tuple[str, str, str]) -> list[Answer]:
        """Accept (sender, text, sid) while a leader is at work, queued in this order; then let all go."""
        with ThreadPoolExecutor(len(texts) + 1) as pool:
            leader = pool.submit(_alone, world, "+12025550199", TEA, "leader")
            assert self.begun.wait(WAIT_SECONDS)
            running = []
            for text in texts:
                running.append(pool.submit(_alone, world, *text))
                self._until_queued(text[0], running)
            self.go.set()
            assert leader.result(WAIT_SECONDS).outcome == "reminder"
            return [one.result(WAIT_SECONDS) for one in running]

    def _until_queued(self, sender: str, running: list[Future[Answer]]) -> None:
        """Until everybody waits: for the batch, or for an older message of the same number; or has ended alone."""
        pause = threading.Event()
        for _ in range(POLLS_MAX):
            behind = sum(len(queue) - 1 for queue in list(intake._turns._queues.values()))
            if len(self.group._waiting) + behind + sum(one.done() for one in running) == len(running):
                return
            pause.wait(0.005)
        raise TimeoutError(sender)


def _arrived(world: World, message: Inbound) -> Arrival:
    return arrival.read(
        message=message, received_at=world.clock.now, trace_context="", snooze_seconds=600, answers=True
    )


def _accept(world: World, sender: str, body: str, sid: str) -> Answer:
    message = Inbound(carrier="twilio", carrier_sid=f"SM{sid}", sender=sender, body=body, opt_out=None)
    return intake.accept(message=message, received_at=world.clock.now, trace_context="")


def _alone(world: World, sender: str, body: str, sid: str) -> Answer:
    try:
        return _accept(world, sender, body, sid)
    finally:
        connection.close()


def _subjects(world: World, sender: str) -> list[tuple[int, str]]:
    return world.rows(
        "SELECT r.number, r.subject FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id"
        " WHERE s.number = %s ORDER BY r.number",
        sender,
    )


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(monkeypatch)


def test_messages_of_known_and_new_people_are_written_by_one_statement(world: World, together: Together) -> None:
    together.go.set()
    for person in PEOPLE[:2]:
        _accept(world, person, TEA, person)
    together.begun.clear()
    together.go.clear()
    del together.batches[:]
    answers = together.accept(world, *((person, CAKE, f"two{person}") for person in PEOPLE))
    assert together.batches == [1, 4]
    assert len({answer.reply_id for answer in answers}) == 4
    assert [_subjects(world, person) for person in PEOPLE] == [[(1, "tea"), (2, "cake")]] * 2 + [[(1, "cake")]] * 2
    written = world.rows("SELECT count(*) FROM reminders_message WHERE body = %s GROUP BY xmin", CAKE)
    assert written == [(4,)]
    assert len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'")) == 7
    promises.history_gives_the_rows(world)
    promises.nobody_is_charged_twice(world)


def test_two_messages_of_one_number_keep_their_order(world: World, together: Together) -> None:
    together.accept(world, (PEOPLE[0], TEA, "1"), (PEOPLE[1], TEA, "2"), (PEOPLE[0], CAKE, "3"))
    assert together.batches[:2] == [1, 2]
    assert _subjects(world, PEOPLE[0]) == [(1, "tea"), (2, "cake")]


def test_a_message_that_is_delivered_twice_at_once_is_accepted_once(world: World, together: Together) -> None:
    first, again = together.accept(world, (PEOPLE[0], TEA, "1"), (PEOPLE[0], TEA, "1"))
    assert (first.repeated, again.repeated) == (False, True)
    assert first.reply_id == again.reply_id
    assert _subjects(world, PEOPLE[0]) == [(1, "tea")]


def test_a_stop_and_a_reminder_of_one_person_go_one_after_the_other(world: World, together: Together) -> None:
    reminder, stop, late = together.accept(
        world, (PEOPLE[0], TEA, "1"), (PEOPLE[0], "STOP", "2"), (PEOPLE[0], CAKE, "3")
    )
    assert (reminder.outcome, stop.outcome, late.outcome) == ("reminder", "command", "refused")
    assert world.rows(
        "SELECT state FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id"
        " WHERE s.number = %s",
        PEOPLE[0],
    ) == [("cancelled",)]


def test_a_poisonous_message_fails_alone(world: World, together: Together) -> None:
    world.see.execute(NO_POISON[0])
    with pytest.raises(intake.Contended):
        together.accept(
            world, (PEOPLE[0], TEA, "1"), (PEOPLE[1], "Remind me in 1 minute about poison", "2"), (PEOPLE[2], TEA, "3")
        )
    assert [_subjects(world, person) for person in PEOPLE[:3]] == [[(1, "tea")], [], [(1, "tea")]]
    assert world.rows("SELECT FROM reminders_messagekey WHERE carrier_sid = 'SM2'") == []
    promises.history_gives_the_rows(world)
    promises.nobody_is_charged_twice(world)


def _change_between(world: World, monkeypatch: pytest.MonkeyPatch, together: Together) -> list[Answer]:
    """One member's person gets another message, from another process, between the batch's read and its write."""
    together.go.set()
    for person in PEOPLE[:2]:
        _accept(world, person, "HELP", person)
    together.begun.clear()
    together.go.clear()
    remind, changed = intake._remind, threading.Event()

    def late(rows: dict[int, dict[str, object]]) -> list[int]:
        if len(rows) == 2 and not changed.is_set():
            changed.set()
            other = intake._accept_alone  # what another process does: it knows nothing of our turns and batches
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_elsewhere, world, other).result(WAIT_SECONDS)
        return remind(rows)

    monkeypatch.setattr(intake, "_remind", late)
    return together.accept(world, (PEOPLE[0], TEA, "1"), (PEOPLE[1], TEA, "2"))


def _elsewhere(world: World, accept: Callable[[Arrival], Answer]) -> None:
    message = Inbound(carrier="twilio", carrier_sid="SMelsewhere", sender=PEOPLE[0], body=CAKE, opt_out=None)
    try:
        accept(_arrived(world, message))
    finally:
        connection.close()


def test_who_loses_a_race_falls_out_of_the_batch_and_reads_again(
    world: World, monkeypatch: pytest.MonkeyPatch, together: Together
) -> None:
    _change_between(world, monkeypatch, together)
    assert _subjects(world, PEOPLE[0]) == [(1, "cake"), (2, "tea")]
    assert _subjects(world, PEOPLE[1]) == [(1, "tea")]
    promises.history_gives_the_rows(world)
    promises.nobody_is_charged_twice(world)


def test_negative_control_without_the_version_the_batch_gives_a_number_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, together: Together
) -> None:
    guard_off(monkeypatch, world, edits={"intake_remind": VERSION}, changes=ONE_PER_NUMBER)
    _change_between(world, monkeypatch, together)
    assert [number for number, _ in _subjects(world, PEOPLE[0])] == [1, 1]


def test_a_batch_that_met_no_database_goes_nowhere_and_nobody_is_sent_to_ask_again_by_themselves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(rows: dict[int, dict[str, object]]) -> list[int]:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(intake, "_remind", gone)
    messages = [
        Inbound(carrier="twilio", carrier_sid=f"SM{person}", sender=person, body=TEA, opt_out=None) for person in PEOPLE
    ]
    with pytest.raises(OperationalError):
        intake.accept_together([_arrived(world, message) for message in messages])
    assert world.rows("SELECT FROM reminders_message") == []
