"""A reminder's rule in words: "every 2 weeks on Tue, Thu at 9:00 AM until Fri 1 Jan 2027". Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reminders import languages, recurrence, replies

UNITS: Final = {
    "SECONDLY": "minute",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WHOLE_WEEKS: Final = {"MO,TU,WE,TH,FR": "weekday", "SA,SU": "weekend"}
LAST: Final = -1


def say_rule(*, rule: str, zone: str, language: str) -> str:
    """How often, on which days and at what times, and until when, as the rule has it."""
    parts, words = recurrence.parse(rule), _words(language)
    interval = int(parts.get("INTERVAL", 1))
    if parts["FREQ"] == "SECONDLY":
        interval = max(1, interval // 60)
    one, several = words[UNITS[parts["FREQ"]]]
    whole = WHOLE_WEEKS.get(parts.get("BYDAY", "")) if interval == 1 and parts["FREQ"] == "WEEKLY" else None
    if whole is not None:
        said = [words[whole]]  # "every weekday"
    else:
        said = [one if interval == 1 else several.format(n=interval), *_days(parts, words, language)]
    if "BYMONTH" in parts:
        months = replies.clock(language)["months"]
        said.append(words["months"].format(months=", ".join(months[int(m) - 1] for m in parts["BYMONTH"].split(","))))
    if "BYHOUR" in parts:
        said.append(words["time"].format(times=", ".join(_times(parts, zone, language))))
    if (last := recurrence.until(rule)) is not None:
        local = last.astimezone(ZoneInfo(zone))
        said.append(words["until"].format(date=replies.say_date(local=local, language=language)))
    return " ".join(said)


def _days(parts: dict[str, str], words: dict[str, Any], language: str) -> list[str]:
    said = []
    names = replies.clock(language)["weekdays"]
    if "BYDAY" in parts:
        listed = parts["BYDAY"].split(",")
        plain = [names[DAYS.index(day)] for day in listed if day in DAYS]
        if plain:
            said.append(words["weekdays"].format(weekdays=", ".join(plain)))
        said += [_nth(day, words, names) for day in listed if day not in DAYS]
    if "BYMONTHDAY" in parts:
        days = parts["BYMONTHDAY"].split(",")
        forward = [day for day in days if int(day) > 0]
        if forward:
            said.append(words["day_of_month"].format(days=", ".join(forward)))
        if len(forward) < len(days):
            said.append(words["last_day"])
    return said


def _nth(day: str, words: dict[str, Any], names: list[str]) -> str:
    count, weekday = int(day[:-2]), names[DAYS.index(day[-2:])]
    nth = words["last"] if count == LAST else words["nths"][min(max(count, 1), len(words["nths"])) - 1]
    said: str = words["nth"].format(nth=nth, weekday=weekday)
    return said


def _times(parts: dict[str, str], zone: str, language: str) -> list[str]:
    minutes = [int(minute) for minute in parts.get("BYMINUTE", "0").split(",")]
    hours = [int(hour) for hour in parts["BYHOUR"].split(",")]
    day = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    return [
        replies.say_time(local=day.replace(hour=hour, minute=minute), language=language)
        for hour in sorted(hours)
        for minute in sorted(minutes)
    ]


def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = languages.table(language).get("repeats") or languages.table(languages.DEFAULT)["repeats"]
    return words
