"""How the simulated phones and the carrier behave: set by the control interface, read everywhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from hashlib import blake2b
from typing import Any

SHARES = (
    "create_reply_lost",
    "create_5xx_after_placing",
    "create_429",
    "callbacks_duplicate",
    "callbacks_reverse",
    "callbacks_drop",
    "webhook_twice",
    "bad_signature",
)
SECONDS = ("create_hang_seconds", "create_hold_seconds", "list_lag_seconds", "callbacks_delay_seconds")
MAX_SECONDS = 3600.0
MAX_CALLS_PER_SECOND = 1_000_000.0
KEYS = frozenset("0123456789*#")


class BehaviourError(ValueError):
    """A wrong value; the text names the key and what it may be."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Each is a share of the requests that it strikes (0–1), or seconds.

    create_hang_seconds withholds the reply of a create that was carried out at once;
    create_hold_seconds holds the request itself back before anything is created.
    """

    create_reply_lost: float = 0.0
    create_5xx_after_placing: float = 0.0
    create_hang_seconds: float = 0.0
    create_hold_seconds: float = 0.0
    create_429: float = 0.0
    list_lag_seconds: float = 0.0
    callbacks_duplicate: float = 0.0
    callbacks_delay_seconds: float = 0.0
    callbacks_reverse: float = 0.0
    callbacks_drop: float = 0.0
    webhook_twice: float = 0.0
    bad_signature: float = 0.0


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """One set for the whole carrier.

    answer is "manual" (a person at the page or the control interface), "always", "never" or a share.
    busy, decline, fail and voicemail are shares drawn before it. press are the digits pressed once the
    words of the first Gather were heard. words_per_second is the speech of calls answered by hand
    (0: at once); calls answered by themselves hear everything at once. callbacks is the share of status
    callbacks that are sent at all. An empty URL stands for the one made from the public base address.
    """

    calls_per_second: float = 50.0
    answer: str | float = "manual"
    answer_after_seconds: float = 1.0
    ring_after_seconds: float = 0.05
    press: str | None = None
    busy: float = 0.0
    decline: float = 0.0
    fail: float = 0.0
    voicemail: float = 0.0
    undelivered: float = 0.0
    words_per_second: float = 3.0
    price_after_seconds: float = 2.0
    callbacks: float = 1.0
    sms_url: str = ""
    sms_fallback_url: str = ""
    voice_url: str = ""
    voice_fallback_url: str = ""
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    faults: Faults = field(default_factory=Faults)

    def drawn(self, share: float, purpose: str, key: str) -> bool:
        """Whether a share strikes this key. The same seed strikes the same keys, in whatever order."""
        if share <= 0.0:
            return False
        if share >= 1.0:
            return True
        digest = blake2b(f"{self.seed}|{purpose}|{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 < share

    def shown(self) -> dict[str, Any]:
        """As GET /sim/behaviour answers, and as the journal keeps it."""
        return asdict(self)


def change(*, behaviour: Behaviour, wanted: Mapping[str, Any]) -> None:
    """Set the keys that are given and no others, all or none; raises BehaviourError."""
    known = {one.name for one in fields(Behaviour)}
    _refuse_unknown(wanted, known, "behaviour")
    faults = wanted.get("faults", {})
    if not isinstance(faults, Mapping):
        raise BehaviourError("faults must be an object.")
    _refuse_unknown(faults, {*SHARES, *SECONDS}, "faults")
    values = {name: _checked(name, value) for name, value in wanted.items() if name != "faults"}
    struck = {name: _fault(name, value) for name, value in faults.items()}
    for name, value in values.items():
        setattr(behaviour, name, value)
    for name, value in struck.items():
        setattr(behaviour.faults, name, value)


def _refuse_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise BehaviourError(f"{where} has no {name!r}; it has {', '.join(sorted(known))}.")


def _fault(name: str, value: object) -> float:
    return _share(name, value) if name in SHARES else _number(name, value, MAX_SECONDS)


def _checked(name: str, value: object) -> object:
    checks: dict[str, Callable[[object], object]] = {"answer": _answer, "press": _press, "seed": _seed}
    if name in checks:
        return checks[name](value)
    if name.endswith("_url"):
        return _address(name, value)
    if name.endswith("per_second"):
        return _number(name, value, MAX_CALLS_PER_SECOND)
    return _number(name, value, MAX_SECONDS) if name.endswith("_seconds") else _share(name, value)


def _answer(value: object) -> object:
    return value if value in ("manual", "always", "never") else _share("answer", value)


def _address(name: str, value: object) -> str:
    if not isinstance(value, str) or not (value == "" or value.startswith(("http://", "https://"))):
        raise BehaviourError(f"{name} must be an http address, or empty.")
    return value


def _press(value: object) -> str | None:
    if value is None or (isinstance(value, str) and 0 < len(value) <= 32 and set(value) <= KEYS):
        return value or None
    raise BehaviourError("press must be null or up to 32 of the keys 0-9, * and #.")


def _seed(value: object) -> int:
    if value is None:
        return secrets.randbits(32)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BehaviourError("seed must be a whole number, or null for a new one.")
    return value


def _share(name: str, value: object) -> float:
    return _number(name, value, 1.0)


def _number(name: str, value: object, top: float) -> float:
    # true and false are welcome as shares: a fault that is on strikes always.
    if not isinstance(value, (int, float)) or not 0.0 <= value <= top:
        raise BehaviourError(f"{name} must be a number from 0 to {top:g}, not {value!r}.")
    return float(value)
