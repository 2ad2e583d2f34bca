"""Payments against credits: every difference, and nothing else."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.reconcile import Payment, differences

BOOKS = st.dictionaries(st.integers(0, 9).map(lambda n: UUID(int=n)), st.integers(1, 3))


def _payments(book: dict[UUID, int]) -> list[Payment]:
    return [Payment(key=key, amount_minor=amount) for key, amount in book.items()]


@given(BOOKS)
def test_equal_books_have_no_difference(book: dict[UUID, int]) -> None:
    assert differences(payments=_payments(book), credited=book) == []


@given(BOOKS, BOOKS)
def test_it_names_each_key_that_differs_once(paid: dict[UUID, int], credited: dict[UUID, int]) -> None:
    found = differences(payments=_payments(paid), credited=credited)
    differing = [key for key in sorted(paid.keys() | credited.keys()) if paid.get(key) != credited.get(key)]
    assert [key for _, key, _ in found] == differing


def test_it_says_in_what_they_differ() -> None:
    one, two, three = UUID(int=1), UUID(int=2), UUID(int=3)
    found = differences(payments=_payments({one: 5, two: 5}), credited={two: 6, three: 7})
    assert [kind for kind, _, _ in found] == [
        "payment_not_credited",
        "credit_differs",
        "credit_without_payment",
    ]
