"""The looker's clock: monotonic, and good for one boot of one machine only. Values only; edges read the clock."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Looker:
    """Who looks: the machine's boot, and its monotonic clock at this moment."""

    boot: str
    monotonic_ms: int
