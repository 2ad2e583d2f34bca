"""What a message of a person means, what is said, and what changes. Pure: intake reads before and writes after.

A question of ours (which of two times, which zone, really all) is held until its answer comes or
limits.HELD_SECONDS pass; every other message goes through meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from billing.segments import segments
from reminders import changes, commands, grammar, limits, phone, recurrence, replies, rule_words
from reminders.answers import SIMPLE, Said, asked_at, is_held, page_held, plain, zone_set
from reminders.grammar import Request
from reminders.person import Decision, Person, Standing
from reminders.replies import say
from reminders.schedule import zones

FALLBACK_ZONE: Final = "UTC"
# What says nothing about Ringback's price and how to stop gets the welcome behind it, the first time.
UNWELCOMED: Final = frozenset({"help", "stop", "start", "stopped", "not_callable"})
A_DAY: Final = timedelta(days=1)
FAR_ZONES: Final = ("Pacific/Kiritimati", "Pacific/Pago_Pago")
WELCOME_SEGMENTS_MAX: Final = 2
TWICE_MADE: Final = frozenset({"HOURLY", "MINUTELY", "SECONDLY"})


def heard(*, body: str, sender: phone.Phone, person: Person, guess: Request, now: datetime) -> Request:
    """The request, `guess` being the text as understood from the number alone: read again for who lives elsewhere."""
    if (person.zone, person.dayfirst, person.language) == (sender.zone or FALLBACK_ZONE, sender.dayfirst, "en"):
        return guess
    return grammar.understand(body, now, person.zone, person.dayfirst, person.language)


def decide(*, said: Said, request: Request) -> Decision:
    """What the message leaves behind."""
    person, request = said.person, _retimed(said, request)
    if person.language_chosen and request.language != person.language:
        request = replace(request, language=person.language)
    older_than_stop = person.stopped_at is not None and said.now <= person.stopped_at
    if said.opt_out == "STOP" or request.kind == "stop":
        return _stop(said, request)
    if request.kind == "remind" and not said.sender.callable:
        return plain(said, request, "not_callable", replies.not_callable(language=request.language))
    answered = None if person.stopped else _answered(said, request)
    if answered is not None:
        return _welcomed(said, answered)
    if request.kind == "start":
        told = None if older_than_stop else replies.started(language=request.language)
        return replace(plain(said, request, "start", told), starts=True, consent="started")
    if person.stopped or older_than_stop:
        return _while_stopped(said, request)
    return _welcomed(said, _of_kind(said, request, said.message_id))


def is_plain(*, body: str, guess: Request) -> bool:
    """Whether the message asks for a new reminder and nothing else: intake_context.sql reads enough for it."""
    return guess.kind == "remind" and commands.retimed(text=body, language=guess.language) is None


def _retimed(said: Said, request: Request) -> Request:
    """ "Change it to 10am", "move the dentist to friday": a move, where it names one of the person's reminders."""
    if request.kind not in ("remind", "unclear") or not said.person.open_reminders:
        return request
    renamed = commands.renamed(text=said.body, language=request.language)
    if renamed is not None:
        called = _called(said, renamed.old, request.language)
        if len(called) == 1 and (renamed.sure or not _is_time(said, called[0], renamed.new, request.language)):
            return replace(request, kind="edit", number=called[0].number, subject=renamed.new)
        if renamed.sure:
            return request
    found = commands.retimed(text=said.body, language=request.language)
    if found is None:
        return request
    what, when = found
    if when is None:  # "make the dentist 5pm": what is a reminder's own name
        named = [one for one in said.person.open_reminders if what.casefold().startswith(f"{one.subject.casefold()} ")]
        if not named:
            return request
        what, when = named[0].subject, what[len(named[0].subject) :].strip()
    newest = max(said.person.open_reminders, key=lambda one: one.number)
    called = _called(said, what, request.language) if what else [newest]  # "it"
    if len(called) != 1 or not when:
        return request
    return replace(request, kind="move", number=called[0].number, phrase=when)


def _called(said: Said, name: str, language: str) -> list[Standing]:
    """The open reminders of just this name; where none is, those that it fits."""
    exactly = [one for one in said.person.open_reminders if one.subject.casefold() == name.casefold()]
    return exactly or changes.fitting(person=said.person, name=name, language=language)


def _is_time(said: Said, found: Standing, phrase: str, language: str) -> bool:
    moved = changes.moved_to(found=found, phrase=phrase, person=said.person, now=said.now, language=language)
    return moved is not None


def _of_kind(said: Said, request: Request, about: UUID) -> Decision:
    """`about`: the message that a question would be about; another one than this where this is an answer."""
    if request.kind == "remind":
        return _remind(said, request, about)
    request = _read_on(said, request)
    if (simple := SIMPLE.get(request.kind)) is not None:
        return simple(said, request)
    decision = plain(said, request, request.kind)
    if request.kind == "snooze":
        seconds = said.snooze_seconds
        return changes.snooze(decision=decision, person=said.person, now=said.now, snooze_seconds=seconds)
    if (change := CHANGES.get(request.kind)) is not None:
        return change(decision=decision, person=said.person, now=said.now)
    return _not_understood(said, request, about)


def _read_on(said: Said, request: Request) -> Request:
    """SKIP and MORE, which the grammar does not know."""
    number = commands.skipped(text=said.body, language=request.language)
    if number is not None:
        return replace(request, kind="skip", number=number)
    if commands.answer(text=said.body, language=request.language) == "more":
        return replace(request, kind="list", number=page_held(said.person))
    return request


def _remind(said: Said, request: Request, about: UUID) -> Decision:
    person, language = said.person, request.language
    if not said.sender.callable:
        return plain(said, request, "not_callable", replies.not_callable(language=language))
    if person.reminders_open >= limits.OPEN_REMINDERS_MAX:
        told = replies.too_many(number=limits.OPEN_REMINDERS_MAX, language=language)
        return plain(said, request, "too_many", told)
    if request.rrule and recurrence.too_often(rule=request.rrule):
        return plain(said, request, "too_often", say(language, "too_often"))
    if not person.zone_known and not _needs_no_zone(said, request):
        if is_held(person, said.now) and person.held is not None and person.held["what"] == "zone":
            return plain(said, request, "ask_zone", say(language, "ask_zone_again"))  # the first one waits, not this
        asked = {"what": "zone", "message": str(about), "at": said.now.timestamp()}
        return replace(plain(said, request, "ask_zone", say(language, "ask_zone")), held=asked)
    if len(request.choices) > 1:
        return _ask(said, request, say(language, "choose"), about, listed=True)
    return _made(said, request)


def _made(said: Said, request: Request) -> Decision:
    """A reminder: `when` is sure."""
    person, language = said.person, request.language
    when = request.when or said.now
    zone = request.zone or person.zone
    rule = None
    if request.rrule:
        pinned = recurrence.pinned(rule=request.rrule, first=when, zone=zone)
        request, rule = replace(request, rrule=pinned), rule_words.say_rule(rule=pinned, zone=zone, language=language)
    told = replies.confirmation(
        number=person.reminders_made + 1,
        subject=request.subject,
        when=when,
        zone=zone,
        seconds=request.seconds,
        rule=rule,
        language=language,
    )
    if request.note in ("gap", "fold"):
        told = f"{told} {say(language, f'note_{request.note}')}"
    elif request.note == "night":
        sooner = replies.say_date(local=when.astimezone(ZoneInfo(zone)) - timedelta(days=1), language=language)
        told = f"{told} {say(language, 'note_night', number=person.reminders_made + 1, date=sooner)}"
    return Decision(request=request, kind="remind", outcome="reminder", reply=told, reminder_zone=zone)


def _ask(said: Said, request: Request, question: str, about: UUID, *, listed: bool) -> Decision:
    """Numbered choices in one text; the message is held until the answer comes."""
    zone, language = request.zone or said.person.zone, request.language
    held = {
        "what": "choose",
        "message": str(about),
        "choices": [choice.timestamp() for choice in request.choices],
        "at": said.now.timestamp(),
    }
    lines = [question]
    if listed:
        for number, choice in enumerate(request.choices, 1):
            moment = replies.say_moment(when=choice, zone=zone, language=language)
            lines.append(say(language, "choice", number=number, moment=moment))
    return replace(plain(said, request, "asked_back", "\n".join(lines)), held=held)


def _answered(said: Said, request: Request) -> Decision | None:
    """What follows where the message answers the question that is held; None where it does not."""
    held, person = said.person.held, said.person
    request = _bare_time(said, request) if held is not None and held["what"] in ("choose", "when") else request
    if held is None or said.now - asked_at(held, said.now) > timedelta(seconds=limits.HELD_SECONDS):
        over = held is not None and held["what"] in ("choose", "zone") and request.kind == "choose"
        return (
            replace(plain(said, request, "choose", say(request.language, "question_over")), held=None) if over else None
        )
    word = commands.answer(text=said.body, language=request.language)
    if held["what"] != "list" and word == "no":
        return replace(plain(said, request, "choose", say(request.language, "dropped")), held=None)
    if held["what"] == "delete_all":
        if word == "yes" or (request.kind == "delete" and request.everything):
            request = replace(request, kind="delete")
            return changes.delete_every(decision=plain(said, request, "delete"), person=person, now=said.now)
        return None
    if held["what"] == "which":
        return _which(said, request, held)
    if held["what"] == "choose":
        return _choice(said, request, held, word)
    if held["what"] in ("when", "subject"):
        return _completed(said, request, held)
    return _place(said, request) if held["what"] == "zone" else None


def _bare_time(said: Said, request: Request) -> Request:
    """ "28th then", "ok make it friday", as an answer: the time alone, without what is only said around it."""
    bare = commands.asked(text=said.body, language=request.language)
    if request.problem == "no_subject" or bare == said.body.strip():
        return request
    read = grammar.understand(bare, said.now, said.person.zone, said.person.dayfirst, request.language)
    return read if read.problem == "no_subject" else request


def _which(said: Said, request: Request, held: Mapping[str, Any]) -> Decision | None:
    """Of several reminders, the one to be deleted: by its number, else by its place in the list that was sent."""
    numbers = held["numbers"]
    number = request.number if request.kind == "choose" else None
    if number not in numbers:
        place = commands.chosen(text=said.body, number=number, language=request.language)
        number = numbers[place - 1] if place is not None and 1 <= place <= len(numbers) else None
    if number is None:
        return None
    request = replace(request, kind="delete", number=number)
    decision = replace(plain(said, request, "delete"), held=None)
    return changes.delete(decision=decision, person=said.person, now=said.now)


def _choice(said: Said, request: Request, held: Mapping[str, Any], word: str | None) -> Decision | None:
    choices = [datetime.fromtimestamp(at, said.now.tzinfo) for at in held["choices"]]
    number = request.number if request.kind == "choose" else None
    chosen = commands.chosen(text=said.body, number=number, language=request.language)
    if chosen is None and word == "yes" and len(choices) == 1:
        chosen = 1
    local = [choice.astimezone(ZoneInfo(said.person.zone)) for choice in choices]
    if chosen is None or chosen > len(choices):
        chosen = _meant(said, request, local) or chosen
    puzzled = chosen is None and (word in ("yes", "both") or _says_nothing(said, request))
    if puzzled or (chosen is not None and not 1 <= chosen <= len(choices)):
        name = "no_such_choice" if len(choices) > 1 else "only_choice"
        return plain(said, request, "choose", say(request.language, name, count=len(choices)))
    if chosen is None:
        return _another_time(said, request)
    when = choices[chosen - 1]
    if when <= said.now:
        return replace(plain(said, request, "choose", say(request.language, "question_over")), held=None)
    first = _held_request(said, said.person.zone)
    if first is None:
        return replace(plain(said, request, "choose", say(request.language, "question_over")), held=None)
    here = when.astimezone((first.when or when).tzinfo)
    return _remind(said, replace(first, kind="remind", when=here, choices=(), problem=None), said.message_id)


def _another_time(said: Said, request: Request) -> Decision | None:
    """ "The 27th", where other days were offered: what was to be reminded of, at the time that is said instead."""
    if request.kind != "unclear" or request.problem != "no_subject" or request.when is None:
        return None
    first = _held_request(said, said.person.zone)
    if first is None or not first.subject:
        return None
    return _remind(said, replace(request, kind="remind", subject=first.subject, problem=None), said.message_id)


def _meant(said: Said, request: Request, choices: list[datetime]) -> int | None:
    """The choice that is named by its own day ("sunday"), or by its hour ("6", "6pm"); None where that fits several."""
    if request.kind == "choose" and request.number is not None:
        fitting = [choice for choice in choices if choice.hour % 12 == request.number % 12]
    elif request.kind == "unclear" and request.problem == "no_subject" and request.when is not None:
        when = request.when.astimezone(choices[0].tzinfo)
        fitting = [choice for choice in choices if choice == when]
        fitting = fitting or [choice for choice in choices if choice.date() == when.date()]
        if len(fitting) != 1 and when - said.now < A_DAY:
            fitting = [choice for choice in choices if choice.time() == when.time()]
    else:
        return None
    return choices.index(fitting[0]) + 1 if len(fitting) == 1 else None


def _says_nothing(said: Said, request: Request) -> bool:
    """Whether a short message has neither a time nor anything else that we understand."""
    whole = request.subject.casefold() == said.body.strip().casefold()
    unknown = request.kind == "unclear" and request.problem == "no_date" and whole
    return unknown and commands.answer(text=said.body, language=request.language) not in ("hello", "thanks")


def _completed(said: Said, request: Request, held: Mapping[str, Any]) -> Decision | None:
    """The missing half: "remind me about tea" - "when?" - "tomorrow 9am", or the other way round."""
    first = _held_request(said, said.person.zone)
    if first is None or request.kind not in ("unclear", "snooze"):
        return None
    if held["what"] == "when":
        both = grammar.understand(
            f"{said.person.held_body} {said.body}", said.now, said.person.zone, said.person.dayfirst, request.language
        )
        if both.kind == "remind" and both.subject == first.subject:
            return _remind(said, both, said.message_id)  # "take insulin twice a day" - "at 8am and 8pm"
        if request.problem == "no_subject" and request.when is not None:
            return _remind(said, replace(request, kind="remind", subject=first.subject, problem=None), said.message_id)
        if _says_nothing(said, request) or (request.kind == "snooze" and not request.phrase):
            asked = say(request.language, "ask_when", subject=replies.shown(first.subject, 60))
            return plain(said, request, "asked_back", asked)
    subject = request.subject or said.body.strip()
    asks = subject.endswith(("?", "\uff1f"))
    if held["what"] == "subject" and request.problem == "no_date" and first.when is not None and subject and not asks:
        if first.when <= said.now:
            return None
        return _remind(said, replace(first, kind="remind", subject=subject, problem=None), said.message_id)
    return None


def _ask_half(said: Said, request: Request, about: UUID) -> Decision | None:
    """Asks for the half of a reminder that was not said; None where it is not clear that one is wanted."""
    language = request.language
    if request.problem == "no_subject" and request.when is not None and said.person.zone_known:
        moment = replies.say_moment(when=request.when, zone=request.zone or said.person.zone, language=language)
        what, told = "subject", say(language, "ask_subject", moment=moment)
    elif request.problem == "several" and request.subject:
        what, told = "when", say(language, "ask_which_time", subject=replies.shown(request.subject, 40))
    elif request.problem == "no_date" and request.subject and request.subject != said.body.strip():
        what, told = "when", say(language, "ask_when", subject=replies.shown(request.subject, 60))
    else:
        return None
    held = {"what": what, "message": str(about), "at": said.now.timestamp()}
    return replace(plain(said, request, "asked_back", told), held=held)


def _place(said: Said, request: Request) -> Decision | None:
    """The answer to "where are you?": the zone is theirs from now on, and the held message is read again in it."""
    zone = request.zone if request.kind == "tz" else zones.named(said.body)
    if zone is None:
        if (
            request.kind == "unclear"
            and request.problem == "no_date"
            and request.subject == said.body.strip()
            and len(said.body) <= commands.ANSWER_CHARACTERS_MAX
            and commands.answer(text=said.body, language=request.language) is None
        ):
            told = say(request.language, "no_such_place", place=replies.shown(said.body, 40))
            return plain(said, request, "tz", told)
        return None
    first, about = _held_request(said, zone), said.person.held or {}
    if first is None:
        return replace(zone_set(said, replace(request, kind="tz", zone=zone)), held=None)
    there = replace(said.person, zone=zone, zone_known=True)
    moved = replace(said, body=said.person.held_body or "", person=there)
    decision = _of_kind(moved, first, UUID(about["message"]))
    kept = decision.held if decision.held != said.person.held else None
    return replace(decision, zone=zone, held=kept)


def _held_request(said: Said, zone: str) -> Request | None:
    person = said.person
    if person.held_body is None or person.held_at is None:
        return None
    return grammar.understand(person.held_body, person.held_at, zone, person.dayfirst, person.language)


def _not_understood(said: Said, request: Request, about: UUID) -> Decision:
    """What cannot be done, and the nearest sensible suggestion where there is one: 1 takes it."""
    if commands.is_answer_in(text=said.body, language=said.person.language):
        request = replace(request, language=said.person.language)
    language, zone = request.language, request.zone or said.person.zone
    word = commands.answer(text=said.body, language=language) if request.kind == "unclear" else None
    if word == "hello":
        return plain(said, request, "help", replies.help_text(language=language))
    if word in ("thanks", "yes", "no"):  # to nothing that we asked
        return plain(said, request, "choose", say(language, "dropped" if word == "no" else "thanks_said"))
    if request.kind == "unclear" and (asked := _ask_half(said, request, about)) is not None:
        if said.person.held is not None and said.person.held["what"] == "zone" and is_held(said.person, said.now):
            return plain(said, request, "ask_zone", say(language, "ask_zone_again"))  # one question at a time
        return asked
    suggested = next((choice for choice in request.choices if choice > said.now), None)
    if request.kind in ("past", "impossible") and suggested is not None and request.subject:
        request = replace(request, choices=(suggested,))
        moment = replies.say_moment(when=suggested, zone=zone, language=language)
        if request.kind == "past" and request.when is not None:
            past = replies.say_moment(when=request.when, zone=zone, language=language)
            return _ask(said, request, say(language, "suggest_past", said=past, moment=moment), about, listed=False)
        return _ask(said, request, say(language, "suggest_impossible", moment=moment), about, listed=False)
    if request.kind == "past" and request.when is not None:
        told = replies.past(when=request.when, zone=zone, language=language)
    elif request.kind == "empty":
        told = replies.empty(language=language)
    elif request.kind == "too_far":
        told = replies.too_far(language=language)
    elif request.kind in ("past", "impossible"):
        told = replies.impossible(language=language)
    else:
        told = replies.unclear(language=language, problem=request.problem)
    return plain(said, request, request.kind, told)


def _stop(said: Said, request: Request) -> Decision:
    """Confirmed once; the carrier confirms its own words, and refuses a reply to a number that it has blocked."""
    request = replace(request, kind="stop")
    quiet = said.opt_out == "STOP" or said.person.stopped
    told = None if quiet else replies.stopped(language=request.language)
    return replace(
        plain(said, request, "stop", told), stops=True, consent="stopped", held=None, last_change=changes.NOTHING
    )


def _while_stopped(said: Said, request: Request) -> Decision:
    """They said stop: nothing is sent until they say START, but for the answer to HELP."""
    if request.kind not in ("help", "info"):
        return plain(said, request, "stopped")
    told = say(request.language, "help_stopped")
    return replace(plain(said, request, "stopped", told), consent="help")


def _welcomed(said: Said, decision: Decision) -> Decision:
    """The first answer that a person gets also says what this is, what it costs and how to stop."""
    person, language, first = said.person, decision.request.language, decision.reply
    if first is None or decision.kind in UNWELCOMED:
        return decision
    if person.version is not None:
        return decision
    welcomes = (
        replies.welcome(first=first, language=language),
        f"{first}\n{replies.welcome_short(language=language)}",
        f"{first}\n{replies.welcome_least(language=language)}",
    )
    fitting = (text for text in welcomes if segments(text).segments <= WELCOME_SEGMENTS_MAX)
    told = next(fitting, min(welcomes, key=lambda text: segments(text).segments))
    if said.sender.zone_sure or decision.request.zone:
        return replace(decision, reply=told)
    hint = say(language, "zone_hint", zone=replies.say_zone(zone=person.zone, language=language))
    longer = f"{told} {hint}"
    same = segments(longer).segments <= WELCOME_SEGMENTS_MAX and decision.reminds
    return replace(decision, reply=longer if same else told)


def _needs_no_zone(said: Said, request: Request) -> bool:
    """Whether the text means the same moment wherever on earth it was written: "in 20 minutes", "5pm London time"."""
    if request.zone:
        return True
    if request.rrule and recurrence.parse(request.rrule)["FREQ"] not in TWICE_MADE:
        return False
    reads = [
        grammar.understand(said.body, said.now, zone, said.person.dayfirst, said.person.language) for zone in FAR_ZONES
    ]
    return all(read.kind == "remind" and read.when == request.when for read in reads)


CHANGES: Final[Mapping[str, Callable[..., Decision]]] = {
    "delete": changes.delete,
    "move": changes.move,
    "skip": changes.skip,
    "edit": changes.edit,
    "undo": changes.undo,
}
