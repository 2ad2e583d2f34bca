"""UUIDv7: RFC 9562's layout, rising within the process, whatever the clock and the threads do."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from billing import database
from billing.database import uuid7, uuid7_at, uuid7_texts


def test_it_has_the_layout_of_rfc_9562() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - before_ms) < 1000
    assert abs(uuid7_at(one=made).timestamp() * 1000 - before_ms) < 1000


def test_it_rises_within_a_millisecond() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_many_as_text_are_the_same_ids_in_the_same_row() -> None:
    before = uuid7()
    made = [UUID(one) for one in uuid7_texts(count=2_000)]
    assert made == sorted(set(made))
    assert before < made[0] < made[-1] < uuid7()
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


def test_it_is_unique_and_rises_in_every_thread() -> None:
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: [uuid7() for _ in range(2_000)], range(8)))
    assert len({one for made in lists for one in made}) == 16_000
    assert all(made == sorted(made) for made in lists)


def test_it_rises_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = time.time_ns()
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - 3_600_000_000_000)
    assert uuid7() > first


def test_it_borrows_a_millisecond_when_the_counter_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = database._Clock()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)
    clock._ms, clock._counter = 1, (1 << 26) - 1
    assert clock.next()[:2] == (2, 0)
    assert clock.next()[:2] == (2, 1)


def test_a_child_gives_out_no_randomness_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    monkeypatch.setattr(os, "urandom", random)
    clock = database._Clock()
    mine = {clock.next()[2] for _ in range(3)}
    clock.forget()
    assert clock.next()[2] not in mine
