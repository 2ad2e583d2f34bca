"""Money: shown as people read it, added only to its own kind, rounded by name."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import CurrencyMismatch, Money, digits_of, minor_half_even

AMOUNTS = st.integers(-(2**63), 2**63 - 1)
CURRENCIES = st.sampled_from(("USD", "EUR", "JPY", "KWD", "CHF"))


@pytest.mark.parametrize(
    ("amount_minor", "currency", "shown"),
    [
        (11, "USD", "$0.11"),
        (-11, "USD", "-$0.11"),
        (0, "USD", "$0.00"),
        (123456789, "USD", "$1,234,567.89"),
        (-100, "EUR", "-€1.00"),
        (300, "CHF", "CHF 3.00"),
        (1500, "JPY", "¥1,500"),
        (1, "KWD", "KWD 0.001"),
    ],
)
def test_it_is_shown_as_people_read_it(amount_minor: int, currency: str, shown: str) -> None:
    assert str(Money(amount_minor, currency)) == shown


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_it_adds_like_integers(one: int, other: int, currency: str) -> None:
    assert Money(one, currency) + Money(other, currency) == Money(one + other, currency)


@given(AMOUNTS, CURRENCIES)
def test_it_cancels_with_its_negative(amount: int, currency: str) -> None:
    assert Money(amount, currency) + -Money(amount, currency) == Money(0, currency)


def test_it_refuses_to_add_another_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "USD") + Money(1, "EUR")


@given(AMOUNTS, CURRENCIES)
def test_its_shown_form_keeps_every_minor_unit(amount: int, currency: str) -> None:
    digits = "".join(c for c in str(Money(amount, currency)) if c.isdigit())
    assert int(digits) == abs(amount)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.0075", 1), ("0.005", 0), ("0.015", 2), ("0.025", 2), ("-0.015", -2), ("1.234", 123)],
)
def test_halves_go_to_the_even_neighbour(amount: str, expected: int) -> None:
    assert minor_half_even(amount=Decimal(amount), currency="USD") == expected


@given(st.integers(-(10**12), 10**12), CURRENCIES)
def test_an_exact_amount_is_not_rounded(amount: int, currency: str) -> None:
    exact = Decimal(amount).scaleb(-digits_of(currency=currency))
    assert minor_half_even(amount=exact, currency=currency) == amount
