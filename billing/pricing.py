"""What things cost. Pure: the tariff is data, and which answered calls are charged is one function."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """Prices in minor units of `currency`; `name` is stored with every charge that it made."""

    name: str
    currency: str
    message_in_minor: int
    call_answered_minor: int
    reply_minor: int
    machine_is_charged: bool


TARIFF: Final = Tariff(
    name="standard-1",
    currency="USD",
    message_in_minor=1,
    call_answered_minor=10,
    reply_minor=0,
    machine_is_charged=False,
)

# An answer proved this long after its hold was voided is still charged, and never after that.
LATE_PROOF_MAX: Final = timedelta(hours=24)
# A hold voided for one of these stays void, whatever is proved later.
FINAL_VOID_REASONS: Final = ("late", "already_charged")


def charges_call(*, answered_by: str | None, pressed: bool, late: bool, tariff: Tariff = TARIFF) -> bool:
    """Whether a call that was picked up is charged.

    `answered_by` is the carrier's word (Twilio: human, machine_start, machine_end_beep, fax, unknown, …) or
    None where detection told nothing; only a key press proves a person, so it outweighs any detection.
    """
    if late:
        return False
    return pressed or not is_machine(answered_by=answered_by) or tariff.machine_is_charged


def is_machine(*, answered_by: str | None) -> bool:
    """Whether the carrier says that a machine picked up; undetermined counts as a person."""
    return answered_by is not None and (answered_by.startswith("machine") or answered_by == "fax")
