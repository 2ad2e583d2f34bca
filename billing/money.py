"""Money: integer minor units with their currency, shown to people, rounded only by name. Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

# ISO 4217: currencies whose minor unit is not a hundredth.
_DIGITS: Final = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "KWD": 3, "BHD": 3, "JOD": 3, "TND": 3}
_SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of an ISO 4217 currency."""

    amount_minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __str__(self) -> str:
        """As people read it: $0.11, -$0.11, CHF 3.00."""
        digits = digits_of(currency=self.currency)
        amount = f"{Decimal(abs(self.amount_minor)).scaleb(-digits):,.{digits}f}"
        sign = "-" if self.amount_minor < 0 else ""
        return f"{sign}{_SYMBOLS.get(self.currency, self.currency + ' ')}{amount}"


def digits_of(*, currency: str) -> int:
    """How many decimal digits the minor unit of a currency has."""
    return _DIGITS.get(currency, 2)


def minor_half_even(*, amount: Decimal, currency: str) -> int:
    """A decimal amount, such as a carrier's price, in minor units; halves go to the even neighbour."""
    scaled = amount.scaleb(digits_of(currency=currency))
    return int(scaled.to_integral_value(rounding=ROUND_HALF_EVEN))
