"""Commands that change reminders: DELETE, MOVE, SNOOZE, SKIP, EDIT, and UNDO of the last of them. Pure.

Each gives what changes and what is said. A change names the version that was read: where the row has moved since,
intake reads again and decides anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from reminders import commands, limits, recurrence, replies, rule_words
from reminders.grammar import Request, moved
from reminders.person import Decision, Edit, Move, Person, Standing
from reminders.replies import say
from reminders.states import ReminderState

NOTHING: Final[Mapping[str, Any]] = {"what": "nothing"}
CAN_SNOOZE: Final = (ReminderState.SCHEDULED, ReminderState.ANSWERED, ReminderState.MISSED)
LATEST: Final = timedelta(days=366 * limits.YEARS_AHEAD_MAX)


def delete(*, decision: Decision, person: Person, now: datetime) -> Decision:
    """DELETE 2, DELETE ALL (asked back where there are several), "forget the dentist"."""
    request, language = decision.request, decision.request.language
    if request.everything:
        return _delete_all(decision, person, now)
    if request.numbers:
        return _delete_several(decision, person, now)
    newest = person.open_reminders and commands.is_it(text=request.subject, language=language)
    number = max(one.number for one in person.open_reminders) if newest else request.number
    if number is not None:
        found = person.open_one(number)
        return _deleted(decision, found, now) if found else _told(decision, "no_such_number", number=number)
    named = fitting(person=person, name=request.subject, language=language)
    if len(named) == 1:
        return _deleted(decision, named[0], now)
    if not named:
        return _told(decision, "no_such_subject", subject=replies.shown(request.subject))
    page = replies.listing(entries=entries(named), zone=person.zone, language=language)
    held = {"what": "which", "numbers": [one.number for one in named], "at": now.timestamp()}
    return replace(decision, reply=f"{say(language, 'which')}\n{page.text.partition(chr(10))[2]}", held=held)


def fitting(*, person: Person, name: str, language: str) -> list[Standing]:
    """The open reminders that a name fits: the words as they stand in the subject, else all of them anywhere in it."""
    forms = commands.called(text=name, language=language)
    for form in forms:
        named = [one for one in person.open_reminders if form in one.subject.casefold()]
        if named:
            return named
    words = set(forms[-1].split()) if forms else set()
    return [one for one in person.open_reminders if words and words <= set(one.subject.casefold().split())]


def _delete_several(decision: Decision, person: Person, now: datetime) -> Decision:
    """DELETE 1 and 2: all of them, or none where one is no reminder."""
    found = [person.open_one(number) for number in decision.request.numbers]
    there = [one for one in found if one is not None]
    if len(there) < len(found):
        missing = next(number for number in decision.request.numbers if person.open_one(number) is None)
        return _told(decision, "no_such_number", number=missing)
    return replace(
        decision,
        cancel=tuple(one.number for one in there),
        reply=say(decision.request.language, "deleted_some", numbers=", ".join(f"#{one.number}" for one in there)),
        last_change=_change("delete", now, ({"id": str(one.id)} for one in there)),
    )


def delete_every(*, decision: Decision, person: Person, now: datetime) -> Decision:
    """All of them, once the person has said yes."""
    every = person.open_reminders
    if not every:
        return _told(replace(decision, held=None), "list_empty")
    return replace(
        decision,
        cancel=tuple(one.number for one in every),
        reply=say(decision.request.language, "deleted_all", count=len(every)),
        held=None,
        last_change=_change("delete", now, ({"id": str(one.id)} for one in every)),
    )


def move(*, decision: Decision, person: Person, now: datetime) -> Decision:
    """MOVE 2 to 6pm: of what repeats, only the coming date."""
    request, language = decision.request, decision.request.language
    found = person.open_one(request.number)
    if found is None or found.rings:
        return _told(decision, "rings_now" if found else "no_such_number", number=request.number)
    due_at = moved_to(found=found, phrase=request.phrase, person=person, now=now, language=language)
    if due_at is None:
        return _told(decision, "move_unclear", number=found.number)
    if due_at > now + LATEST:
        return _told(decision, "too_far", years=limits.YEARS_AHEAD_MAX)
    moment = replies.say_moment(when=due_at, zone=person.zone, language=language)
    if due_at <= now:
        return _told(decision, "move_past", number=found.number, moment=moment)
    rule = rule_words.say_rule(rule=found.rrule, zone=found.zone, language=language) if found.rrule else ""
    subject = replies.shown(found.subject)
    name = "moved_once" if rule else "moved"
    return replace(
        decision,
        moves=(_move(found, due_at, "moved"),),
        reply=say(language, name, number=found.number, subject=subject, moment=moment, rule=rule),
        last_change=_change("move", now, (_place(found),)),
    )


def moved_to(*, found: Standing, phrase: str, person: Person, now: datetime, language: str) -> datetime | None:
    """When a reminder would ring that is moved so; None where the words are no time."""
    return moved(
        phrase=phrase, due=found.due_at, reference=now, tz=person.zone, dayfirst=person.dayfirst, language=language
    )


def snooze(*, decision: Decision, person: Person, now: datetime, snooze_seconds: float) -> Decision:
    """SNOOZE, SNOOZE 20 (minutes), "snooze for an hour": what rang last rings again."""
    found, language = person.rang, decision.request.language
    if (ringing := next((one for one in person.open_reminders if one.rings), None)) is not None:
        return _told(decision, "rings_now", number=ringing.number)
    due_at = _snoozed_until(decision.request, person, now, snooze_seconds)
    if found is None or found.state not in CAN_SNOOZE or due_at is None:
        return _told(decision, "nothing_to_snooze")
    present = person.open_one(found.number)
    rule_at = None
    if found.rrule and found.rule_at and present is not None and present.due_at > now:
        # Its next date is made already: the rule goes on to it again after the snooze.
        rule_at = recurrence.before(rule=found.rrule, rule_at=found.rule_at, zone=found.zone)
    change = _move(found, due_at, "snoozed", rule_at=rule_at, ended="snoozed")
    # What still stood goes back to its place; what was over is only not rung again.
    before = _place(present) if present is not None and present.due_at > now else {"id": str(found.id)}
    return replace(
        decision,
        moves=(change,),
        reply=_said("snoozed", found, due_at, person.zone, language),
        last_change=_change("snooze", now, (before,)),
    )


def skip(*, decision: Decision, person: Person, now: datetime) -> Decision:
    """SKIP 3: the coming date of what repeats falls out."""
    language, number = decision.request.language, decision.request.number
    repeating = [one for one in person.open_reminders if one.rrule]
    found = person.open_one(number) if number else next(iter(repeating), None)
    if found is None or found.rings:
        return _told(decision, "rings_now" if found else "no_such_number", number=number)
    if found.rrule is None:
        return _told(decision, "not_repeating", number=found.number)
    rule_at = found.rule_at or found.due_at
    later = recurrence.following(rule=found.rrule, rule_at=rule_at, zone=found.zone, after=max(now, found.due_at))
    if later is None:
        gone = _deleted(decision, found, now)
        return replace(gone, reply=say(language, "skip_over", number=found.number))
    return replace(
        decision,
        moves=(_move(found, later, "skipped", rule_at=later),),
        reply=_said("skipped", found, later, person.zone, language),
        last_change=_change("move", now, (_place(found),)),
    )


def edit(*, decision: Decision, person: Person, now: datetime) -> Decision:
    """EDIT 2 new words."""
    request, found = decision.request, person.open_one(decision.request.number)
    if found is None or found.rings:
        return _told(decision, "rings_now" if found else "no_such_number", number=request.number)
    subject = request.subject[: limits.SUBJECT_CHARACTERS_MAX]
    if not subject:
        return _told(decision, "edit_unclear", number=found.number)
    return replace(
        decision,
        edit=Edit(reminder_id=found.id, version=found.version, subject=subject),
        reply=_said("edited", replace(found, subject=subject), found.due_at, person.zone, request.language),
        last_change=_change("edit", now, ({"id": str(found.id), "subject": found.subject},)),
    )


def undo(*, decision: Decision, person: Person, now: datetime) -> Decision:
    """The last change (of a reminder, of the zone or the language) is taken back, within limits.UNDO_SECONDS."""
    last = person.last_change
    if last is None:
        made = person.open_one(person.reminders_made)
        recent = made is not None and made.created_at is not None and _recent(made.created_at, now)
        return _deleted(decision, made, now) if made and recent else _told(decision, "nothing_to_undo")
    if "at" not in last or not _recent(datetime.fromtimestamp(last["at"], now.tzinfo), now):
        return _told(decision, "nothing_to_undo")
    if last["what"] in ("tz", "lang"):
        return _undo_setting(decision, last, now)
    places = {one["id"]: one for one in last["reminders"]}
    pairs = [(one, places[str(one.id)]) for one in person.changed if str(one.id) in places]
    how = {"delete": _undo_delete, "move": _undo_move, "snooze": _undo_snooze, "edit": _undo_edit}[last["what"]]
    undone = how(replace(decision, last_change=NOTHING), person, pairs, now)
    return undone if undone.changes_rows else _told(decision, "nothing_to_undo")


def entries(reminders: Iterable[Standing]) -> list[replies.Entry]:
    """Reminders as a list says them."""
    return [
        replies.Entry(number=one.number, subject=one.subject, when=one.due_at, repeats=one.rrule is not None)
        for one in reminders
    ]


def _delete_all(decision: Decision, person: Person, now: datetime) -> Decision:
    count = len(person.open_reminders)
    if count == 1:
        return _deleted(decision, person.open_reminders[0], now)
    if not count:
        return _told(decision, "list_empty")
    asked = {"what": "delete_all", "at": now.timestamp()}
    return replace(_told(decision, "ask_delete_all", count=count), held=asked)


def _deleted(decision: Decision, found: Standing, now: datetime) -> Decision:
    told = replies.deleted(number=found.number, subject=found.subject, language=decision.request.language)
    change = _change("delete", now, ({"id": str(found.id)},))
    return replace(decision, cancel=(found.number,), reply=told, last_change=change)


def _undo_delete(decision: Decision, person: Person, pairs: list[tuple[Standing, Any]], now: datetime) -> Decision:
    back = []
    for one, _ in pairs:
        due_at: datetime | None = one.due_at
        if one.due_at <= now and one.rrule:
            due_at = recurrence.following(rule=one.rrule, rule_at=one.rule_at or one.due_at, zone=one.zone, after=now)
        if one.state == ReminderState.CANCELLED and due_at is not None and due_at > now:
            back.append((one, due_at))
    if len(person.open_reminders) + len(back) > limits.OPEN_REMINDERS_MAX or not back:
        return decision
    language, (first, due_at) = decision.request.language, back[0]
    told = _said("restored", first, due_at, person.zone, language)
    if len(back) > 1:
        told = say(language, "restored_all", count=len(back))
    changes = tuple(
        _move(one, at, "restored", rule_at=at if one.rrule and at != one.due_at else None) for one, at in back
    )
    return replace(decision, moves=changes, reply=told)


def _undo_move(decision: Decision, person: Person, pairs: list[tuple[Standing, Any]], now: datetime) -> Decision:
    for one, place in pairs:
        due_at = datetime.fromtimestamp(place["due_at"], now.tzinfo)
        rule_at = datetime.fromtimestamp(place["rule_at"], now.tzinfo) if place.get("rule_at") else None
        if one.state == ReminderState.SCHEDULED and due_at > now:
            told = _said("moved", one, due_at, person.zone, decision.request.language)
            return replace(decision, moves=(_move(one, due_at, "moved", rule_at=rule_at),), reply=told)
    return decision


def _undo_snooze(decision: Decision, person: Person, pairs: list[tuple[Standing, Any]], now: datetime) -> Decision:
    for one, place in pairs:
        if one.state != ReminderState.SCHEDULED:
            continue
        if "due_at" in place:
            return _undo_move(decision, person, [(one, place)], now)
        told = say(decision.request.language, "unsnoozed", number=one.number, subject=replies.shown(one.subject))
        return replace(decision, cancel=(one.number,), reply=told)
    return decision


def _undo_setting(decision: Decision, last: Mapping[str, Any], now: datetime) -> Decision:
    """The zone, or the language and whether it was chosen, are what they were."""
    decision = replace(decision, last_change=NOTHING)
    if last["what"] == "lang":
        language = last["language"]
        spoken = replace(decision, request=replace(decision.request, language=language))
        return replace(spoken, reply=say(language, "lang_set"), language_chosen=last["chosen"])
    language, zone = decision.request.language, last["zone"]
    time = replies.say_time(local=now.astimezone(ZoneInfo(zone)), language=language)
    told = say(language, "zone_set", zone=replies.say_zone(zone=zone, language=language), time=time)
    return replace(decision, reply=told, zone=zone)


def _undo_edit(decision: Decision, person: Person, pairs: list[tuple[Standing, Any]], _now: datetime) -> Decision:
    for one, place in pairs:
        if one.state == ReminderState.SCHEDULED:
            before = replace(one, subject=place["subject"])
            told = _said("edited", before, one.due_at, person.zone, decision.request.language)
            edited = Edit(reminder_id=one.id, version=one.version, subject=before.subject)
            return replace(decision, edit=edited, reply=told)
    return decision


def _snoozed_until(request: Request, person: Person, now: datetime, seconds: float) -> datetime | None:
    if request.number is not None:
        return now + timedelta(minutes=min(max(request.number, 1), limits.SNOOZE_MINUTES_MAX))
    if not request.phrase:
        return now + timedelta(seconds=seconds)
    found = moved(
        phrase=request.phrase,
        due=now,
        reference=now,
        tz=person.zone,
        dayfirst=person.dayfirst,
        language=request.language,
    )
    return found if found is not None and now < found <= now + LATEST else now + timedelta(seconds=seconds)


def _move(
    one: Standing, due_at: datetime, what: str, *, rule_at: datetime | None = None, ended: str = "cancelled"
) -> Move:
    return Move(
        reminder_id=one.id,
        version=one.version,
        was=one.state,
        what=what,
        due_at=due_at,
        rule_at=rule_at,
        occurrence_outcome=ended,
    )


def _place(one: Standing) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "due_at": one.due_at.timestamp(),
        "rule_at": one.rule_at.timestamp() if one.rule_at else None,
    }


def _change(what: str, now: datetime, reminders: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"what": what, "at": now.timestamp(), "reminders": list(reminders)}


def setting(what: str, now: datetime, **before: Any) -> dict[str, Any]:
    """A change of the person's zone or language, for UNDO."""
    return _change(what, now, ()) | before


def _recent(at: datetime, now: datetime) -> bool:
    return now - at <= timedelta(seconds=limits.UNDO_SECONDS)


def _said(name: str, one: Standing, due_at: datetime, zone: str, language: str) -> str:
    moment = replies.say_moment(when=due_at, zone=zone, language=language)
    return say(language, name, number=one.number, subject=replies.shown(one.subject), moment=moment)


def _told(decision: Decision, name: str, **values: Any) -> Decision:
    return replace(decision, reply=say(decision.request.language, name, **values))
