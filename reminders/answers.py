"""What is answered without changing a reminder: LIST, NEXT, TZ, LANG, BALANCE, HELP. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from reminders import changes, languages, limits, phone, replies
from reminders.grammar import Request
from reminders.person import Decision, Person
from reminders.replies import say

COMMANDS: Final = frozenset(
    "list next delete move snooze skip edit tz lang balance quiet undo help info stop start choose".split()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One message in its context: what every part of the decision looks at."""

    body: str
    opt_out: str | None  # STOP, START or HELP where the carrier has acted on the word itself
    sender: phone.Phone
    person: Person
    message_id: UUID
    snooze_seconds: float
    now: datetime
    answers: bool = True  # whether the webhook's answer carries the reply


def plain(said: Said, request: Request, kind: str, reply: str | None = None) -> Decision:
    """A decision that changes nothing by itself; what is held and what may be undone stay."""
    person = said.person
    return Decision(
        request=request,
        kind=kind,
        outcome="command" if kind in COMMANDS else "refused",
        reply=reply,
        held=person.held if is_held(person, said.now) else None,
        last_change=person.last_change,
    )


def is_held(person: Person, now: datetime) -> bool:
    return person.held is not None and now - asked_at(person.held, now) <= timedelta(seconds=limits.HELD_SECONDS)


def page_held(person: Person) -> int:
    held = person.held
    return int(held["page"]) if held is not None and held["what"] == "list" else 2


def asked_at(held: Mapping[str, Any], now: datetime) -> datetime:
    return datetime.fromtimestamp(held["at"], now.tzinfo)


def zone_set(said: Said, request: Request) -> Decision:
    language = request.language
    if request.zone is None:
        place = replies.shown(request.subject, 40)
        if not place:
            return plain(said, request, "tz", say(language, "which_place"))
        return plain(said, request, "tz", say(language, "no_such_place", place=place))
    zone = replies.say_zone(zone=request.zone, language=language)
    time = replies.say_time(local=said.now.astimezone(ZoneInfo(request.zone)), language=language)
    decision = replace(plain(said, request, "tz", say(language, "zone_set", zone=zone, time=time)), zone=request.zone)
    before = changes.setting("tz", said.now, zone=said.person.zone) if said.person.zone_known else changes.NOTHING
    return replace(decision, last_change=before)


def _help(said: Said, request: Request) -> Decision:
    told = replies.help_text(language=request.language)
    return replace(plain(said, request, "help", told), consent="help")


def _list(said: Said, request: Request) -> Decision:
    person = said.person
    listed = replies.listing(
        entries=changes.entries(person.open_reminders),
        zone=person.zone,
        page=request.number or 1,
        language=request.language,
    )
    decision = plain(said, request, "list", listed.text)
    asked = person.held is not None and person.held["what"] != "list" and is_held(person, said.now)
    if asked:
        return decision
    following = {"what": "list", "page": listed.next_number, "at": said.now.timestamp()}
    return replace(decision, held=following if listed.next_number else None)


def _next(said: Said, request: Request) -> Decision:
    person, language = said.person, request.language
    if not person.open_reminders:
        return plain(said, request, "next", say(language, "list_empty"))
    one = person.open_reminders[0]
    moment = replies.say_moment(when=one.due_at, zone=person.zone, language=language)
    told = say(language, "next", number=one.number, subject=replies.shown(one.subject), moment=moment)
    return plain(said, request, "next", told)


def _language_set(said: Said, request: Request) -> Decision:
    language = request.language
    if request.told is None:
        named = ", ".join(languages.table(code)["name"] for code in languages.codes())
        return plain(said, request, "lang", say(language, "no_such_language", languages=named))
    person = said.person
    decision = plain(said, replace(request, language=request.told), "lang", say(request.told, "lang_set"))
    before = changes.setting("lang", said.now, language=person.language, chosen=person.language_chosen)
    return replace(decision, language_chosen=True, last_change=before)


def _balance(said: Said, request: Request) -> Decision:
    told = replies.money(amount_minor=said.person.balance_minor, language=request.language)
    return plain(said, request, "balance", told)


def _quiet(said: Said, request: Request) -> Decision:
    return plain(said, request, "quiet", say(request.language, "quiet_said"))


def _nothing_asked(said: Said, request: Request) -> Decision:
    return plain(said, request, "choose", say(request.language, "nothing_asked"))


SIMPLE: Final[Mapping[str, Callable[[Said, Request], Decision]]] = {
    "list": _list,
    "next": _next,
    "help": _help,
    "info": _help,
    "tz": zone_set,
    "lang": _language_set,
    "balance": _balance,
    "choose": _nothing_asked,
    "quiet": _quiet,
}
