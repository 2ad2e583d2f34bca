"""Conversations on real rows: every example of docs/howto/text-ringback.md, and what each command leaves behind."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from billing.segments import segments
from reminders import intake
from reminders.carriers.base import Inbound
from tests.world import promises
from tests.world.world import World

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "howto" / "text-ringback.md"
BLOCK: Final = re.compile(r"^```(first|text)(?: (\+\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PERSON: Final = "+12025550101"
RINGS: Final = "(the phone rings; you answer)"
SECONDS_BETWEEN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Example:
    """A conversation of the page: (what is texted, or what happens; the answer)."""

    first: bool
    number: str
    turns: tuple[tuple[str, str], ...]


def examples(page: str) -> Iterator[Example]:
    for kind, number, body in BLOCK.findall(page):
        turns: list[tuple[str, str]] = []
        for line in body.splitlines():
            if line.startswith("> ") or line == RINGS:
                turns.append((line.removeprefix("> "), ""))
            else:
                text, answer = turns[-1]
                turns[-1] = (text, f"{answer}\n{line}" if answer else line)
        yield Example(first=kind == "first", number=number or PERSON, turns=tuple(turns))


EXAMPLES: Final = tuple(examples(PAGE.read_text()))


def walk(world: World, example: Example) -> list[tuple[str, str]]:
    """The conversation as it goes now."""
    told = []
    if not example.first:
        talk(world, "HELP", number=example.number)
    for text, _ in example.turns:
        world.clock.step(SECONDS_BETWEEN)
        if text == RINGS:
            world.run()
            told.append((text, ""))
        else:
            told.append((text, talk(world, text, number=example.number) or "(no answer)"))
    return told


def talk(world: World, body: str, *, number: str = PERSON, opt_out: str | None = None) -> str | None:
    """Text something; the answer, exactly."""
    message = Inbound(carrier="twilio", carrier_sid=world.carrier.sid("SM"), sender=number, body=body, opt_out=opt_out)
    return intake.accept(message=message, received_at=world.clock.now, trace_context="").body


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.turns[0][0])
def test_the_page_says_what_happens(world: World, example: Example) -> None:
    assert walk(world, example) == list(example.turns)
    promises.history_gives_the_rows(world)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.turns[0][0])
def test_every_answer_of_the_page_fits_two_segments_of_plain_letters(example: Example) -> None:
    for _, answer in example.turns:
        counted = segments(answer)
        assert (counted.encoding, counted.segments <= (2 if example.first or "\n" in answer else 1)) == ("gsm7", True)


def _rows(world: World, columns: str = "number, state, sequence") -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT {columns} FROM reminders_reminder ORDER BY number")


def _events(world: World, like: str) -> list[str]:
    return [what for (what,) in world.rows("SELECT what FROM reminders_event WHERE what LIKE %s ORDER BY id", like)]


def test_a_moved_reminder_rings_at_its_new_time_and_only_then(world: World) -> None:
    talk(world, "Remind in 1 minute about tea")
    assert "Moved #1 tea" in (talk(world, "MOVE 1 to 6am") or "")
    world.run()
    (call,) = world.carrier.calls
    assert call.created_at.hour == 11  # 6 AM in New York
    assert _rows(world, "number, state, sequence, generation") == [(1, "answered", 2, 2)]
    assert world.rows("SELECT sequence, outcome FROM reminders_occurrence ORDER BY sequence") == [
        (1, "cancelled"),
        (2, "answered"),
    ]
    promises.history_gives_the_rows(world)


def test_what_repeats_rings_again_at_the_same_wall_time(world: World) -> None:
    talk(world, "every day 8pm take pills")
    world.run(seconds=9 * 86_400)  # over the change of the clocks on 8 March
    hours = [(call.created_at.day, call.created_at.hour) for call in world.carrier.calls]
    assert hours == [(3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 0), (10, 0), (11, 0)]
    talk(world, "DELETE 1")
    assert _rows(world, "state") == [("cancelled",)]
    assert world.rows("SELECT FROM reminders_timer WHERE kind = 'ring'") == []


def test_a_snooze_of_what_repeats_does_not_shift_the_rule(world: World) -> None:
    talk(world, "every day 8am take pills")
    world.run(seconds=3.6 * 3600)  # 8:00 in New York is 13:00 UTC
    world.run(seconds=600)
    assert "We call you again" in (talk(world, "SNOOZE 30") or "")
    world.run(seconds=86_400)
    clock = [(call.created_at.day, call.created_at.hour, call.created_at.minute) for call in world.carrier.calls]
    assert clock == [(2, 13, 0), (2, 13, 46), (3, 13, 0)]


def test_a_count_ends_what_repeats(world: World) -> None:
    talk(world, "every day at 8am for 3 times stretch")
    world.run()
    assert len(world.carrier.calls) == 3
    assert _rows(world, "state") == [("answered",)]


def test_a_stop_cancels_and_is_evidence_of_consent(world: World) -> None:
    talk(world, "Remind in 1 minute about tea")
    assert talk(world, "STOP", opt_out="STOP") is None  # the carrier confirms its own words
    talk(world, "HELP")
    talk(world, "START")
    world.run()
    assert world.carrier.calls == []
    assert _events(world, "consent.%") == ["consent.stopped", "consent.help", "consent.started"]
    evidence = world.rows("SELECT detail ->> 'message' FROM reminders_event WHERE what LIKE 'consent.%%' ORDER BY id")
    kept = {str(id_) for (id_,) in world.rows("SELECT id FROM reminders_message")}
    assert {message for (message,) in evidence} <= kept
    assert _rows(world, "state") == [("cancelled",)]


def test_a_repeated_delivery_of_a_command_changes_nothing(world: World) -> None:
    talk(world, "Remind tomorrow 9am about tea")
    message = Inbound(carrier="twilio", carrier_sid="SMmove", sender=PERSON, body="MOVE 1 to 6pm", opt_out=None)
    once = intake.accept(message=message, received_at=world.clock.now, trace_context="")
    rows = _rows(world, "*")
    again = intake.accept(message=message, received_at=world.clock.now, trace_context="")
    assert (again.repeated, again.body, _rows(world, "*")) == (True, once.body, rows)


def test_an_answer_after_an_hour_finds_no_question(world: World) -> None:
    talk(world, "Remind on Feb 30 about rent")
    world.clock.step(3601)
    assert "too long ago" in (talk(world, "1") or "")
    assert _rows(world) == []


def test_a_question_survives_other_commands(world: World) -> None:
    talk(world, "Remind on Feb 30 about rent")
    talk(world, "LIST")
    talk(world, "BALANCE")
    assert "#1 rent" in (talk(world, "1") or "")
    assert "not asked" in (talk(world, "1") or "")
    assert _rows(world, "number") == [(1,)]


def test_nothing_is_texted_while_stopped_but_help(world: World) -> None:
    talk(world, "STOP")
    assert [talk(world, body) for body in ("LIST", "UNDO", "1", "TZ Berlin", "hello", "STOP")] == [None] * 6
    assert "START" in (talk(world, "HELP") or "")


def test_each_command_is_charged_as_one_message(world: World) -> None:
    for body in ("Remind tomorrow 9am about tea", "LIST", "MOVE 1 to 6pm", "UNDO", "EDIT 1 bread", "BALANCE", "TZ Goa"):
        talk(world, body)
    assert len(world.rows("SELECT FROM billing_ledgertransaction WHERE kind = 'sms'")) == 7


def test_a_reminder_that_rings_is_neither_moved_nor_edited(world: World) -> None:
    talk(world, "Remind in 1 minute about tea")
    world.clock.step(60)
    for bell in world.dispatch():
        world.attend(bell)
    assert _rows(world, "state") == [("ringing",)]
    rows = _rows(world, "*")
    for body in ("MOVE 1 to 6pm", "EDIT 1 bread", "SNOOZE"):
        assert "is ringing now" in (talk(world, body) or "")
    assert _rows(world, "*") == rows


def test_a_list_goes_on_with_more(world: World) -> None:
    for number in range(1, 10):
        talk(world, f"Remind tomorrow {number}pm about errand number {number} of the long day")
    pages = [talk(world, "LIST") or ""]
    while "MORE" in pages[-1]:
        pages.append(talk(world, "MORE") or "")
    assert all(segments(page).segments <= 2 for page in pages)
    listed = re.findall(r"#(\d+) ", "\n".join(pages))
    assert listed == [str(number) for number in range(1, 10)]
