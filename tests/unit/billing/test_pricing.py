"""Which answered calls are charged."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import TARIFF, charges_call

ANSWERS = st.sampled_from((None, "human", "unknown", "fax", "machine_start", "machine_end_beep"))


@pytest.mark.parametrize(
    ("answered_by", "pressed", "charged"),
    [
        (None, False, True),
        ("human", False, True),
        ("unknown", False, True),
        ("machine_start", False, False),
        ("machine_end_silence", False, False),
        ("fax", False, False),
        ("machine_start", True, True),
    ],
)
def test_it_charges_a_person_or_the_undetermined(answered_by: str | None, pressed: bool, charged: bool) -> None:
    assert charges_call(answered_by=answered_by, pressed=pressed, late=False) is charged


@given(ANSWERS, st.booleans())
def test_it_never_charges_a_late_call(answered_by: str | None, pressed: bool) -> None:
    assert not charges_call(answered_by=answered_by, pressed=pressed, late=True)


@given(ANSWERS)
def test_it_charges_whoever_pressed_a_key(answered_by: str | None) -> None:
    assert charges_call(answered_by=answered_by, pressed=True, late=False)


def test_it_charges_machines_where_the_tariff_says_so() -> None:
    tariff = dataclasses.replace(TARIFF, machine_is_charged=True)
    assert charges_call(answered_by="machine_start", pressed=False, late=False, tariff=tariff)


def test_it_is_the_tariff_of_the_design() -> None:
    assert (TARIFF.message_in_minor, TARIFF.call_answered_minor, TARIFF.reply_minor) == (1, 10, 0)
    assert TARIFF.currency == "USD"
