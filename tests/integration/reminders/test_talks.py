"""Whole conversations as a new user has them, through the real intake: one file each in `talks/`, to be read aloud.

A line that starts with ">" is what the person texts, twenty seconds after the one before; "<" is what comes back, with
its segments in front. Where an answer was changed on purpose, the file is to be changed with it, and read again.
"""

from pathlib import Path
from typing import Final

import pytest

from billing.segments import segments
from tests.world.world import World

TALKS: Final = sorted((Path(__file__).parent / "talks").glob("*.txt"))
TURNS_MIN: Final = 40
PAUSE_SECONDS: Final = 20


def heard(path: Path) -> tuple[str, list[str]]:
    """The number that texts, and the talk without its comments."""
    first, *lines = path.read_text("utf-8").splitlines()
    return first.split()[1], [line for line in lines if line and line[0] != "#"]


def said(world: World, number: str, text: str) -> list[str]:
    before = len(world.carrier.texts)
    world.text(number, text)
    world.clock.step(PAUSE_SECONDS)
    replies = [one.body for one in world.carrier.texts[before:] if not one.inbound]
    return [f"< [{segments(body).segments}] {body}".replace("\n", " / ") for body in replies]


@pytest.mark.parametrize("path", TALKS, ids=[path.stem for path in TALKS])
def test_a_conversation_goes_as_it_is_written(world: World, path: Path) -> None:
    number, lines = heard(path)
    asked = [line[2:] for line in lines if line.startswith("> ")]
    talk = [line for text in asked for line in (f"> {text}", *said(world, number, text))]
    assert len(asked) >= TURNS_MIN
    assert talk == lines


@pytest.mark.parametrize("path", TALKS, ids=[path.stem for path in TALKS])
def test_no_answer_in_it_is_longer_than_two_segments_and_help_than_one(path: Path) -> None:
    _, lines = heard(path)
    assert {line[2:5] for line in lines if line.startswith("< ")} <= {"[1]", "[2]"}
    assert all(line.startswith("< [1] ") for line in lines if "STOP" in line and "LIST" in line and "#" not in line)
