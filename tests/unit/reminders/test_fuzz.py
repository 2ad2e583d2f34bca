"""A short seeded run of `python -m tests.fuzz`; times are judged in the long runs, here they decide nothing."""

from typing import Final

import pytest

from reminders.grammar import understand
from reminders.grammar.splitting import STEPS_MAX, Effort
from reminders.schedule.phrase import Phrase, descend
from tests.fuzz.families import AT, CALLS_MAX, calls, families
from tests.fuzz.running import run
from tests.fuzz.texts import CHARACTERS_MAX, Texts

TEXTS: Final = 4_000
SEED: Final = 20_261_126
GROWTH_KILOBYTES_MAX: Final = 8_192


def test_no_text_raises_or_promises_what_cannot_be() -> None:
    found = run(texts=TEXTS, seed=SEED)
    assert (found.texts, found.raised, found.wrong) == (TEXTS, [], [])


def test_memory_stays_flat() -> None:
    found = run(texts=TEXTS, seed=SEED + 1)
    middle, last = found.kilobytes[len(found.kilobytes) // 2], found.kilobytes[-1]
    assert last - middle < GROWTH_KILOBYTES_MAX


def test_the_same_seed_gives_the_same_texts_and_another_others() -> None:
    def ten(seed: int) -> list[str]:
        texts = Texts(seed)
        return [texts.one() for _ in range(10)]

    assert ten(1) == ten(1) != ten(2)
    assert max(map(len, ten(1))) <= CHARACTERS_MAX


def test_negative_control_what_raises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("tests.fuzz.running.read", broken)
    assert len(run(texts=3, seed=1).raised) == 3


# What was dear once: a phrase inside a phrase inside a phrase, numbers of numbers, a rule with the same day many times.
DEAR: Final = (
    "- mon first starting",
    "un un ",
    "fin dias laborables ",
    "second mons ",
    "segundo saados ",
    "hundred and ",
    "5-- 5.95-- ",
    "¼ nights before ",
    "w y b 4",
    "5-first ",
    "- 5-7 ",
    "5-week first ",
    "before day after / 5, ",
    "starts nights 3",
    "2m 1-tarting y@esta noche o ",
)


@pytest.mark.parametrize("unit", DEAR)
def test_words_that_come_again_and_again_cost_bounded_work(unit: str) -> None:
    assert calls(unit) <= CALLS_MAX


def test_no_few_words_cost_more_again_and_again() -> None:
    dearest = max((calls(unit), unit) for unit in families(words=3, texts=60, seed=SEED))
    assert dearest[0] <= CALLS_MAX, dearest


def test_negative_control_phrases_inside_phrases_without_bound_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def deeper(self: Phrase, i: int, at: int = -1) -> tuple[Phrase, int]:
        inner = Phrase(self.words, self.lexicon, self.readers, self.now, self.convention)
        inner.inner, inner.at = True, at
        return inner, descend(inner, i)

    monkeypatch.setattr(Phrase, "within", deeper)
    assert calls(DEAR[0]) > CALLS_MAX


def test_negative_control_without_a_bound_of_its_steps_a_message_costs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.grammar.splitting.STEPS_MAX", 100 * STEPS_MAX)
    assert calls("w y b 4") > CALLS_MAX


def test_a_message_that_was_not_looked_through_is_not_understood() -> None:
    hostile = ("w y b 4" * 20)[:130]
    assert understand(f"{hostile} at 5pm", AT, "America/New_York", False, "hi").kind == "unclear"


@pytest.mark.parametrize("language", [None, "hi", "es"])
def test_what_people_write_takes_far_fewer_steps_than_the_bound(
    monkeypatch: pytest.MonkeyPatch, language: str | None
) -> None:
    spent: list[Effort] = []

    class Watched(Effort):
        def __init__(self) -> None:
            super().__init__()
            spent.append(self)

    monkeypatch.setattr("reminders.grammar.Effort", Watched)
    for text in Texts(SEED).seeds:
        understand(text, AT, "America/New_York", False, language)
    most = max(effort.steps for effort in spent)
    # In English, or in two languages, in both of which a message is read.
    assert 0 < most <= STEPS_MAX * (0.4 if language is None else 0.7)
