"""The statement of an account: what it was charged, what it was given back, what it paid, and its balance."""

from dataclasses import dataclass
from uuid import UUID

from billing.models import Account
from billing.money import Money
from billing.pricing import TARIFF
from billing.queries import CREDIT, ChargeLine, lines


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """balance = credits − charges, all in minor units of `currency`; every line keeps its evidence."""

    currency: str
    balance_minor: int
    charges: tuple[ChargeLine, ...]
    credits: tuple[ChargeLine, ...]

    @property
    def balance(self) -> Money:
        """The balance as money, which prints as people read it."""
        return Money(self.balance_minor, self.currency)


def statement(*, account_id: UUID) -> Statement:
    """The statement of an account; an unknown account has an empty one.

    The balance is the sum of the very lines that are shown, so the two never disagree.
    """
    currency = Account.objects.filter(pk=account_id).values_list("currency", flat=True).first()
    told = lines(account_id=account_id)
    charged = tuple(line for line in told if line.kind != CREDIT)
    paid = tuple(line for line in told if line.kind == CREDIT)
    balance_minor = sum(line.amount_minor for line in paid) - sum(line.amount_minor for line in charged)
    return Statement(
        currency=currency or TARIFF.currency,
        balance_minor=balance_minor,
        charges=charged,
        credits=paid,
    )
