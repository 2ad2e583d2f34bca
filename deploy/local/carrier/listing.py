"""Lists of the REST interface: day filters and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from deploy.local.carrier.refusals import RefusedError

PAGE_SIZE, PAGE_SIZE_MAX = 50, 1000
DAY_SECONDS = 86_400

Asked = list[tuple[str, str]]
Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One bound on one instant: sign is "=", "<" or ">"."""

    name: str
    sign: str
    at: float
    whole_day: bool

    def holds(self, instant: float | None) -> bool:
        """Whether the instant is within it; one that never happened is not."""
        if instant is None:
            return False
        second = float(int(instant))
        if self.sign == ">":
            return second >= self.at
        if self.sign == "<":
            return second <= self.at
        return self.at <= second < self.at + (DAY_SECONDS if self.whole_day else 1)


def day_filters(asked: Asked, name: str) -> list[Filter]:
    """`Name=`, `Name<=` and `Name>=` with a day or an instant in UTC; raises RefusedError."""
    signs = {name: "=", name + "<": "<", name + ">": ">"}
    return [_filter(name, signs[key], value) for key, value in asked if key in signs and value]


def _filter(name: str, sign: str, text: str) -> Filter:
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as problem:
        raise RefusedError(400, 20001, f"{name} must be YYYY-MM-DD or an ISO 8601 instant in UTC") from problem
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return Filter(name=name, sign=sign, at=at.timestamp(), whole_day=len(text) == len("2026-11-22"))


def page(
    *, rows: Iterable[Row], asked: Asked, kind: str, base: str, shown: Callable[[Row], dict[str, Any]]
) -> dict[str, Any]:
    """One page of rows with Twilio's paging fields; raises RefusedError."""
    size = _whole(asked, "PageSize", PAGE_SIZE, 1, PAGE_SIZE_MAX)
    number = _whole(asked, "Page", 0, 0, 1_000_000)
    window = list(islice(rows, number * size, (number + 1) * size + 1))
    here = window[:size]
    start = number * size

    def uri(wanted: int) -> str:
        kept = [(name, value) for name, value in asked if name not in ("Page", "PageSize", "PageToken")]
        return base + "?" + urlencode([*kept, ("PageSize", size), ("Page", wanted)])

    return {
        kind: [shown(row) for row in here],
        "end": start + max(0, len(here) - 1),
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1) if len(window) > size else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1) if number else None,
        "start": start,
        "uri": uri(number),
    }


def _whole(asked: Asked, name: str, default: int, low: int, high: int) -> int:
    text = dict(asked).get(name, "")
    if not text:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise RefusedError(400, 20006, f"{name} must be a number from {low} to {high}")
    return int(text)
