"""A reminder's rule (the RFC 5545 subset that the grammar writes): its next date, its end, its bounds. Pure.

A rule is kept so that it needs no history: its time of day is pinned, and a number of times becomes a last date.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reminders.quiet import Quiet
from reminders.schedule import rules

SECONDS_BETWEEN_MIN: Final = 60
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
COUNTED_MAX: Final = 1_000
ELAPSING: Final = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3_600}


def following(*, rule: str, rule_at: datetime, zone: str, after: datetime) -> datetime | None:
    """The rule's first date after both its present one (`rule_at`) and `after`; None where the rule is over.

    On the wall clock of `zone`: a time that the clocks skip is as much later as they skip; of one that they repeat,
    the first. What repeats by hours or minutes goes by elapsed time.
    """
    return rules.following(rule=rule, start=rule_at, after=max(rule_at, after), tz=zone)


def following_by_day(
    *, rule: str, rule_at: datetime, zone: str, after: datetime, quiet: Quiet | None
) -> datetime | None:
    """`following`; one that nobody named (every 8 hours) keeps out of the quiet hours."""
    found = following(rule=rule, rule_at=rule_at, zone=zone, after=after)
    if found is None or quiet is None or not drifts(rule=rule):
        return found
    return quiet.until(at=found, zone=zone) or found


def pinned(*, rule: str, first: datetime, zone: str) -> str:
    """The rule with its day and time of day written out, and a last date in the place of a number of times."""
    parts = parse(rule)
    local = first.astimezone(ZoneInfo(zone))
    if parts["FREQ"] not in ELAPSING and "BYHOUR" not in parts:
        parts |= {"BYHOUR": str(local.hour), "BYMINUTE": str(local.minute)}
    if parts["FREQ"] in ("MONTHLY", "YEARLY") and not {"BYDAY", "BYMONTHDAY"} & parts.keys():
        parts["BYMONTHDAY"] = str(local.day)
    if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts:
        parts["BYMONTH"] = str(local.month)
    if parts["FREQ"] == "WEEKLY" and "BYDAY" not in parts:
        parts["BYDAY"] = WEEKDAYS[local.weekday()]
    if "COUNT" in parts:
        count = int(parts.pop("COUNT"))
        parts["UNTIL"] = _last(";".join(f"{k}={v}" for k, v in parts.items()), first, zone, count)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def too_often(*, rule: str) -> bool:
    """Whether its calls would come less than SECONDS_BETWEEN_MIN apart."""
    parts = parse(rule)
    seconds = ELAPSING.get(parts["FREQ"])
    return seconds is not None and seconds * int(parts.get("INTERVAL", 1)) < SECONDS_BETWEEN_MIN


def drifts(*, rule: str) -> bool:
    """Whether it goes by elapsed hours or minutes, so that nobody named its times of day."""
    return parse(rule)["FREQ"] in ELAPSING


def parse(rule: str) -> dict[str, str]:
    """The rule's parts by name, in its order."""
    return dict(part.split("=", 1) for part in rule.split(";"))


def until(rule: str) -> datetime | None:
    """The rule's last moment, where it has one."""
    said = parse(rule).get("UNTIL")
    return datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if said else None


def _last(rule: str, first: datetime, zone: str, count: int) -> str:
    at = first
    for _ in range(min(count, COUNTED_MAX) - 1):
        later = following(rule=rule, rule_at=at, zone=zone, after=at)
        if later is None:
            break
        at = later
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def before(*, rule: str, rule_at: datetime, zone: str) -> datetime:
    """A moment one interval before the rule's present date, from which `following` leads to that date again."""
    parts = parse(rule)
    interval, local = int(parts.get("INTERVAL", 1)), rule_at.astimezone(ZoneInfo(zone))
    freq = parts["FREQ"]
    if freq in ELAPSING:
        return rule_at - timedelta(seconds=ELAPSING[freq] * interval)
    if freq in ("DAILY", "WEEKLY"):
        return local - timedelta(days=interval * (7 if freq == "WEEKLY" else 1))
    months = local.year * 12 + local.month - 1 - interval * (12 if freq == "YEARLY" else 1)
    return local.replace(year=months // 12, month=months % 12 + 1, day=1)
