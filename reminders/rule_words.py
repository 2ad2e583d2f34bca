"""A reminder's rule in words: "every 2 weeks on Tue, Thu at 9:00 AM until Fri 1 Jan 2027". Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reminders import languages, recurrence, replies

UNITS: Final = {
    "SECONDLY": "second",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WHOLE_WEEKS: Final = {"MO,TU,WE,TH,FR": "weekday", "SA,SU": "weekend"}
DAY_END: Final = (23, 59)


def say_rule(*, rule: str, zone: str, language: str) -> str:
    """How often, on which days and at what times, and until when, as the rule has it."""
    parts, words = recurrence.parse(rule), _words(language)
    freq, interval = parts["FREQ"], int(parts.get("INTERVAL", 1))
    if freq == "SECONDLY" and interval % 60 == 0:
        freq, interval = "MINUTELY", interval // 60
    one, several = words[UNITS[freq]]
    whole = WHOLE_WEEKS.get(parts.get("BYDAY", "")) if interval == 1 and freq == "WEEKLY" else None
    if whole is not None:
        said = [words[whole]]  # "every weekday"
    else:
        said = [one if interval == 1 else several.format(n=interval), *_days(parts, words, language)]
    if "BYHOUR" in parts:
        said.append(words["time"].format(times=", ".join(_times(parts, zone, language))))
    if (last := recurrence.until(rule)) is not None:
        said.append(words["until"].format(date=_end(last.astimezone(ZoneInfo(zone)), parts, words, language)))
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
            said.append(words["day_of_month"].format(days=_listed(forward, words)))
        said += [words["last_day"].format(nth=_which(int(day), words)) for day in days if int(day) < 0]
    if "BYMONTH" in parts:
        listed = [replies.clock(language)["months"][int(month) - 1] for month in parts["BYMONTH"].split(",")]
        said = [words["months"].format(days=" ".join(said), months=", ".join(listed)).strip()]
    return said


def _listed(days: list[str], words: dict[str, Any]) -> str:
    """Days of the month, the last of which would be taken for an hour without an "and" before it."""
    *first, last = days
    said: str = words["listed"].format(days=", ".join(first), last=last) if first else last
    return said


def _nth(day: str, words: dict[str, Any], names: list[str]) -> str:
    count, weekday = int(day[:-2]), names[DAYS.index(day[-2:])]
    said: str = words["nth"].format(nth=_which(count, words), weekday=weekday)
    return said


def _which(count: int, words: dict[str, Any]) -> str:
    """The first, the second, the last, the last but one."""
    names = words["nths"] if count > 0 else words["lasts"]
    said: str = names[min(abs(count), len(names)) - 1].format(n=abs(count))
    return said


def _end(last: datetime, parts: dict[str, str], words: dict[str, Any], language: str) -> str:
    """The last day; with its time, where the rule would ring later on that day."""
    said = replies.say_date(local=last, language=language)
    at = (last.hour, last.minute)
    later = at != DAY_END if "BYHOUR" not in parts else any(time > at for time in _clock(parts))
    return f"{said} {words['time'].format(times=replies.say_time(local=last, language=language))}" if later else said


def _clock(parts: dict[str, str]) -> list[tuple[int, int]]:
    minutes = sorted(int(minute) for minute in parts.get("BYMINUTE", "0").split(","))
    return [(hour, minute) for hour in sorted(map(int, parts["BYHOUR"].split(","))) for minute in minutes]


def _times(parts: dict[str, str], zone: str, language: str) -> list[str]:
    day = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    return [
        replies.say_time(local=day.replace(hour=hour, minute=minute), language=language)
        for hour, minute in _clock(parts)
    ]


def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = languages.table(language).get("repeats") or languages.table(languages.DEFAULT)["repeats"]
    return words
