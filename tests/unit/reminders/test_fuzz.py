"""A short seeded run of `python -m tests.fuzz`; times are judged in the long runs, here they decide nothing."""

from typing import Final

import pytest

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
