"""The oracle finds every break that is planted in books that were true, and none where there is none."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from deploy.lab.books import Books, Call, Charge, Ours, Reminder
from deploy.lab.load import Promise
from deploy.lab.oracle import judge
from deploy.local.carrier.conversation import ERROR_WORDS
from reminders import replies

NOW: Final = 1_900_000_000.0
PEOPLE: Final = 5


def number(position: int) -> str:
    return f"+1202200000{position}"


def heard(subject: str, *, lateness_seconds: int = 0) -> tuple[str, ...]:
    """What our call says, by the words of the service itself."""
    return replies.call_words(subject=subject, lateness_seconds=lateness_seconds, snooze_minutes=10, language="en")


def books(*, naive: bool = False) -> Books:
    """Everybody texted, was rung once on time, answered, and was charged for both."""
    people = range(PEOPLE)
    return Books(
        promises=[
            Promise(
                number=number(n), subject=f"tea {n}", phase="during", scheduled_at=NOW + n, due_in=5, sid=f"SM{n}",
                sent_at=NOW + n, answered_at=NOW + n + 0.02, status=200, answer="accepted",
            )
            for n in people
        ],
        calls=[
            Call(
                sid=f"CA{n}", to=number(n), state="completed", created_at=NOW + n + 5.1,
                ringing_at=NOW + n + 5.2, answered_at=NOW + n + 5.4, heard=heard(f"tea {n}"),
            )
            for n in people
        ],
        ours=Ours(
            messages={f"SM{n}": "reminder" for n in people},
            reminders=[
                Reminder(id=f"r{n}", number=number(n), message_sid=f"SM{n}", state="answered", trace_id=f"t{n}")
                for n in people
            ],
            attempts={} if naive else {f"CA{n}": f"r{n}" for n in people},
            charges=[
                charge
                for n in people
                for charge in (
                    Charge(number=number(n), kind="sms", amount_minor=1, sid=f"SM{n}"),
                    Charge(number=number(n), kind="call", amount_minor=10, sid=f"CA{n}"),
                )
            ],
            knows_attempts=not naive,
        ),
    )  # fmt: skip


def ours(found: Books, **changed: Any) -> Books:
    return replace(found, ours=replace(found.ours, **changed))


def counts(found: Books) -> dict[str, int]:
    return {kind: count for kind, count in judge(found).counts().items() if count}


def state_of_the_first(state: str) -> Callable[[Books], Books]:
    """The first person was not rung, and our book says so."""

    def planted(found: Books) -> Books:
        reminders = [replace(found.ours.reminders[0], state=state), *found.ours.reminders[1:]]
        charges = [one for one in found.ours.charges if one.sid != "CA0"]
        attempts = {sid: id_ for sid, id_ in found.ours.attempts.items() if sid != "CA0"}
        return ours(
            replace(found, calls=found.calls[1:]), reminders=reminders, charges=charges, attempts=attempts
        )  # fmt: skip

    return planted


def dropped_call(found: Books) -> Books:
    """The carrier never made it: our book says answered, and charged it."""
    return replace(found, calls=found.calls[1:])


def duplicated_call(found: Books) -> Books:
    """The same person is rung a second time by a call that no attempt knows."""
    again = replace(found.calls[0], sid="CA9", created_at=NOW + 9, ringing_at=NOW + 9.1, answered_at=NOW + 9.2)
    return replace(found, calls=[*found.calls, again])


def second_attempt(found: Books) -> Books:
    """An attempt of ours rang a person who had answered."""
    return ours(duplicated_call(found), attempts={**found.ours.attempts, "CA9": "r0"})


def delayed_call(found: Books) -> Books:
    late = replace(found.calls[0], ringing_at=NOW + 66, answered_at=NOW + 67)
    return replace(found, calls=[late, *found.calls[1:]])


def other_amount(found: Books) -> Books:
    changed = [replace(one, amount_minor=11) if one.sid == "CA3" else one for one in found.ours.charges]
    return ours(found, charges=changed)


def charged_again(found: Books) -> Books:
    return ours(found, charges=[*found.ours.charges, found.ours.charges[1]])


def uncharged(found: Books) -> Books:
    return ours(found, charges=[one for one in found.ours.charges if one.sid != "CA2"])


def charged_for_another_call(found: Books) -> Books:
    changed = [replace(one, sid="CA8") if one.sid == "CA2" else one for one in found.ours.charges]
    return ours(found, charges=changed)


def call_of_the_first(**changed: Any) -> Callable[[Books], Books]:
    """The first person's call, otherwise."""

    def planted(found: Books) -> Books:
        return replace(found, calls=[replace(found.calls[0], **changed), *found.calls[1:]])

    return planted


def decided_late(found: Books) -> Books:
    """By our book the first ring is late, and so it is free."""
    charges = [one for one in found.ours.charges if one.sid != "CA0"]
    reminders = [replace(found.ours.reminders[0], told_late=True), *found.ours.reminders[1:]]
    return ours(found, reminders=reminders, charges=charges)


def forgotten_text(found: Books) -> Books:
    """Answered 200, and in no table: no reminder, no call, no charge."""
    return Books(
        promises=found.promises,
        calls=found.calls[1:],
        ours=replace(
            found.ours,
            messages={sid: outcome for sid, outcome in found.ours.messages.items() if sid != "SM0"},
            reminders=found.ours.reminders[1:],
            charges=[one for one in found.ours.charges if one.number != number(0)],
        ),
    )


PLANTED: Final[dict[str, tuple[Callable[[Books], Books], dict[str, int]]]] = {
    "a call that was not made": (dropped_call, {"lost": 1, "mischarged": 1}),
    "a call that was made twice": (duplicated_call, {"twice": 1}),
    "a second attempt of what was answered": (second_attempt, {"twice": 1}),
    "a call that was late and did not say so": (delayed_call, {"late": 1}),
    "another amount": (other_amount, {"mischarged": 1}),
    "a charge too many": (charged_again, {"mischarged": 1}),
    "a charge too few": (uncharged, {"mischarged": 1}),
    "another person's subject": (call_of_the_first(heard=heard("tea 1")), {"lost": 1}),
    "a call that was answered and said nothing": (call_of_the_first(heard=()), {"lost": 1, "mischarged": 1}),
    "a call that the carrier apologised in": (call_of_the_first(heard=(ERROR_WORDS,)), {"lost": 1, "mischarged": 1}),
    "late by our book, not said": (decided_late, {"late": 1}),
    "said to be late, not so by our book, and charged": (
        call_of_the_first(heard=heard("tea 0", lateness_seconds=70)),
        {"late": 1, "mischarged": 1},
    ),
    "a charge with another call's evidence": (charged_for_another_call, {"mischarged": 2}),
    "a text that was answered and forgotten": (forgotten_text, {"lost": 1}),
    "a reminder that still waits": (state_of_the_first("scheduled"), {"unresolved": 1}),
    "a dead letter": (state_of_the_first("dead"), {"dead": 1}),
    "a reminder that says answered and was not": (state_of_the_first("answered"), {"lost": 1}),
}


def test_it_finds_nothing_in_books_that_are_true() -> None:
    found = judge(books())
    assert found.findings == []
    assert [round(ring.lateness_seconds, 3) for ring in found.rings] == [0.2] * PEOPLE
    assert found.answers == {"accepted": PEOPLE, "refused": 0, "unknown": 0, "unsent": 0}


@pytest.mark.parametrize("name", PLANTED)
def test_it_finds_what_is_planted(name: str) -> None:
    plant, expected = PLANTED[name]
    true = books()
    before = copy.deepcopy(true)
    assert counts(plant(true)) == expected
    assert true == before


def test_it_names_the_person_the_promise_and_the_trace() -> None:
    (found,) = judge(delayed_call(books())).findings
    assert (found.promise, found.number, found.trace_id) == ("P5", number(0), "t0")
    assert found.words == "rang 61.0 s late and did not say so"


def test_it_counts_lateness_from_the_end_of_a_slow_answer() -> None:
    """The service counts from when it has received the text, which is some moment of the carrier's request."""
    late = delayed_call(books())
    slow = [replace(late.promises[0], answered_at=NOW + 1.5), *late.promises[1:]]
    assert counts(replace(late, promises=slow)) == {}


def test_it_reads_the_carriers_clock_in_whole_seconds_as_the_service_does() -> None:
    due_at = NOW + 5
    assert counts(call_of_the_first(ringing_at=due_at + 60.9)(books())) == {}
    assert counts(call_of_the_first(ringing_at=due_at + 61)(books())) == {"late": 1}


def test_it_lets_a_late_ring_pass_that_said_so_and_was_free() -> None:
    late = call_of_the_first(heard=heard("tea 0", lateness_seconds=61))(delayed_call(books()))
    told = judge(decided_late(late))
    assert (told.findings, told.told_late) == ([], 1)
    reminders = decided_late(late).ours.reminders
    assert counts(ours(late, reminders=reminders)) == {"mischarged": 1}  # said so, and charged all the same


def test_it_expects_another_call_where_the_first_one_had_no_words() -> None:
    """Picked up, and nothing of ours was heard: that is not told, and costs nothing; told by the second call, it is."""
    silent = replace(books().calls[0], sid="CA9", heard=(ERROR_WORDS,))
    again = ours(books(), attempts={**books().ours.attempts, "CA9": "r0"})
    again = replace(again, calls=[silent, *again.calls])
    assert counts(again) == {}
    both = replace(again, calls=[replace(silent, heard=heard("tea 0")), *again.calls[1:]])
    assert counts(both) == {"twice": 1}


def test_it_lets_a_call_break_off_after_the_words() -> None:
    """The key's own request failed: the person was told all the same."""
    broken = call_of_the_first(heard=(*heard("tea 0"), ERROR_WORDS))(books())
    assert counts(broken) == {}


def test_it_counts_a_person_who_was_told_of_the_miss() -> None:
    found = judge(state_of_the_first("missed")(books()))
    assert (found.findings, found.missed) == ([], 1)


def test_it_expects_nothing_of_a_text_that_was_refused_and_is_nowhere() -> None:
    gone = forgotten_text(books())
    refused = [replace(gone.promises[0], answer="refused", status=503), *gone.promises[1:]]
    assert counts(replace(gone, promises=refused)) == {}


def test_it_judges_what_was_kept_without_an_answer_like_the_rest() -> None:
    unknown = [replace(books().promises[0], answer="unknown", status=None), *books().promises[1:]]
    found = judge(replace(books(), promises=unknown))
    assert (found.findings, found.kept_unanswered) == ([], 1)
    assert counts(duplicated_call(replace(books(), promises=unknown))) == {"twice": 1}


def test_it_judges_only_acceptance_where_nothing_is_due_yet() -> None:
    waiting = books()
    reminders = [replace(one, state="scheduled") for one in waiting.ours.reminders]
    charges = [one for one in waiting.ours.charges if one.kind == "sms"]
    waiting = replace(ours(waiting, reminders=reminders, charges=charges, attempts={}), calls=[])
    assert counts(waiting) == {"unresolved": PEOPLE}
    waiting = replace(waiting, promises=[replace(one, due_in=86_400) for one in waiting.promises])
    assert counts(waiting) == {}
    forgotten = ours(waiting, messages={f"SM{n}": "reminder" for n in range(1, PEOPLE)})
    assert counts(forgotten) == {"lost": 1, "mischarged": 1}


def test_it_judges_the_naive_tier_by_the_carriers_book_and_its_own_table() -> None:
    assert counts(books(naive=True)) == {}
    assert counts(dropped_call(books(naive=True))) == {"lost": 1, "mischarged": 1}
    assert counts(duplicated_call(books(naive=True))) == {"twice": 1}
    assert counts(delayed_call(books(naive=True))) == {"late": 1}
