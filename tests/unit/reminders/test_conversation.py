"""What a message of a person leads to, without a database: tables of text, answer and change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.segments import segments
from reminders import conversation, grammar, languages, limits, phone, replies
from reminders.answers import Said
from reminders.person import Decision, Person, Standing

NEW_YORK: Final = ZoneInfo("America/New_York")
NOW: Final = datetime(2026, 3, 2, 10, 0, tzinfo=NEW_YORK)
NUMBER: Final = "+12025550101"
OPT_OUT_WORDS: Final = (
    "STOP",
    "CANCEL",
    "END",
    "QUIT",
    "UNSUBSCRIBE",
    "REVOKE",
    "OPTOUT",
    "STOPALL",
    "opt out",
    "Stop. Thank you",
)


def standing(
    number: int, subject: str, hours: float, *, state: str = "scheduled", rrule: str | None = None
) -> Standing:
    due_at = NOW + timedelta(hours=hours)
    return Standing(
        id=UUID(int=number),
        number=number,
        subject=subject,
        zone="America/New_York",
        due_at=due_at,
        state=state,
        version=1,
        rrule=rrule,
        rule_at=due_at if rrule else None,
        created_at=NOW - timedelta(minutes=5),
    )


TEA: Final = standing(1, "tea", 2)
RENT: Final = standing(2, "rent and tea", 30)
PILLS: Final = standing(3, "pills", 5, rrule="FREQ=DAILY;BYHOUR=15;BYMINUTE=0")
SOMEBODY: Final = Person(
    id=UUID(int=9),
    account_id=UUID(int=8),
    number=NUMBER,
    bucket=1,
    zone="America/New_York",
    language="en",
    dayfirst=False,
    version=7,
    reminders_made=3,
    stopped_at=None,
    started_at=None,
    reminders_open=3,
    open_reminders=(TEA, PILLS, RENT),
)


def hear(body: str, person: Person = SOMEBODY, *, opt_out: str | None = None, now: datetime = NOW) -> Decision:
    sender = phone.parse(person.number)
    guess = grammar.understand(body, now, sender.zone or "UTC", sender.dayfirst)
    request = conversation.heard(body=body, sender=sender, person=person, guess=guess, now=now)
    said = Said(
        body=body,
        opt_out=opt_out,
        sender=sender,
        person=person,
        message_id=UUID(int=77),
        snooze_seconds=600,
        now=now,
    )
    return conversation.decide(said=said, request=request)


@pytest.mark.parametrize(
    ("body", "kind", "answer"),
    [
        ("LIST", "list", "Your reminders"),
        ("what's next", "next", "Next: #1 tea"),
        ("DELETE 1", "delete", "Deleted #1 tea"),
        ("forget pills", "delete", "Deleted #3 pills"),
        ("forget the tea", "delete", "Which one?"),
        ("DELETE 9", "delete", "You have no reminder #9"),
        ("forget the dentist", "delete", "You have no reminder about dentist"),
        ("DELETE ALL", "delete", "Delete all 3 reminders?"),
        ("MOVE 1 to 6pm", "move", "Moved #1 tea: Mon 2 Mar 2026, 6:00 PM"),
        ("MOVE 3 to 6pm", "move", "Moved #3 pills this once"),
        ("MOVE 9 to 6pm", "move", "You have no reminder #9"),
        ("MOVE 1 to the moon", "move", "When shall #1 ring?"),
        ("EDIT 1 green tea", "edit", "#1 is now green tea"),
        ("SKIP 3", "skip", "Skipped #3 pills once. Next: Tue 3 Mar 2026, 3:00 PM"),
        ("SKIP", "skip", "Skipped #3 pills once"),
        ("SKIP 1", "skip", "#1 does not repeat"),
        ("SNOOZE", "snooze", "We have not called you lately"),
        ("TZ Berlin", "tz", "You are on Berlin time now; it is 4:00 PM there."),
        ("TZ Atlantis", "tz", "We do not know the place Atlantis"),
        ("LANG es", "lang", "Ahora te hablamos en español"),
        ("LANG", "lang", "We speak English, español, Hindi."),
        ("TZ", "tz", "Where are you?"),
        ("MOVE 1", "move", "When shall #1 ring?"),
        ("MOVE 1 to 5", "move", "Moved #1 tea: Mon 2 Mar 2026, 5:00 PM"),
        ("EDIT 1", "edit", "What shall #1 say?"),
        ("thanks!", "choose", "You are welcome."),
        ("never mind", "choose", "Nothing was changed."),
        ("hello", "help", "Ringback calls you back"),
        ("?", "help", "Ringback calls you back"),
        ("every next 30 days later tea", "unclear", "Sorry"),
        ("every day until yesterday tea", "past", "There is no such date or time"),
        ("sab hata do", "delete", "Kya saare 3 reminder hata dein?"),
        ("1 hata do", "delete", "#1 tea hata diya"),
        ("pills wala hata do", "delete", "#3 pills hata diya"),
        ("1 ko 6 baje karo", "move", "#1 tea ka naya samay: somvar 2 Mar 2026, 6:00 PM"),
        ("BALANCE", "balance", "Your balance is $0.00"),
        ("HELP", "help", "Ringback calls you back"),
        ("INFO", "help", "Ringback calls you back"),
        ("2", "choose", "We have not asked you anything"),
        ("", "empty", "Your text was empty"),
        ("remind me feb 30 about rent", "asked_back", "There is no such date or time. Did you mean Sun 28 Feb 2027"),
        ("remind me next friday about rent", "asked_back", "Which one?"),
        ("every 10 seconds beep", "too_often", "We call at most once a minute"),
        ("change it to 10pm", "move", "Moved #3 pills this once"),
        ("make it 10pm", "move", "Moved #3 pills this once"),
        ("move pills to 10pm", "move", "Moved #3 pills this once"),
        ("move the rent to friday", "move", "Moved #2 rent and tea: Fri 6 Mar 2026, 4:00 PM"),
        ("delete the pills one", "delete", "Deleted #3 pills"),
        ("change tea to green tea", "edit", "#1 is now green tea"),
        ("change tea to 5pm", "move", "Moved #1 tea"),
        ("hi there mate", "help", "Ringback calls you back"),
        ("remind me later to stretch", "asked_back", "When shall we call you about stretch?"),
        ("I like trains", "unclear", "Sorry"),
        ("remind me about tea", "asked_back", "When shall we call you about tea?"),
        ("remind me tomorrow 9am", "asked_back", "What shall we remind you of, Tue 3 Mar 2026, 9:00 AM"),
    ],
)
def test_it_answers(body: str, kind: str, answer: str) -> None:
    decision = hear(body)
    assert (decision.kind, (decision.reply or "")[: len(answer)]) == (kind, answer)


@pytest.mark.parametrize("body", OPT_OUT_WORDS)
def test_no_opt_out_word_is_a_command(body: str) -> None:
    decision = hear(body)
    assert (decision.kind, decision.stops, decision.consent) == ("stop", True, "stopped")


@pytest.mark.parametrize("word", ["STOP", "Cancel", "Please stop calling me", "unsubscribe"])
def test_a_stop_is_confirmed_once(word: str) -> None:
    stopped = replace(SOMEBODY, stopped_at=NOW - timedelta(hours=1))
    assert hear(word).reply == replies.stopped(language="en")
    assert hear(word, stopped).reply is None
    assert hear(word, opt_out="STOP").reply is None  # the carrier confirms its own words


@pytest.mark.parametrize("body", ["LIST", "MOVE 1 to 6pm", "1", "hello", "Remind tomorrow 9am about tea", "UNDO"])
def test_nothing_is_said_or_changed_while_stopped(body: str) -> None:
    decision = hear(body, replace(SOMEBODY, stopped_at=NOW - timedelta(hours=1)))
    assert (decision.reply, decision.changes_rows, decision.reminds, decision.kind) == (None, False, False, "stopped")


def test_undo_takes_back_the_newest_reminder_for_a_while() -> None:
    assert hear("UNDO").cancel == (3,)
    old = replace(PILLS, created_at=NOW - timedelta(seconds=limits.UNDO_SECONDS + 1))
    assert not hear("UNDO", replace(SOMEBODY, open_reminders=(TEA, old, RENT))).changes_rows


SNOOZED: Final = replace(SOMEBODY, rang=standing(4, "oven", -1, state="answered"))


def test_undo_of_a_snooze_calls_it_off() -> None:
    first = hear("SNOOZE", SNOOZED)
    assert len(first.moves) == 1
    again = replace(standing(4, "oven", 0.2), version=2)
    person = replace(SNOOZED, last_change=first.last_change, changed=(again,), open_reminders=(TEA, again))
    undone = hear("UNDO", person)
    assert (undone.cancel, undone.moves) == ((4,), ())
    assert "we do not call you again about #4 oven" in (undone.reply or "")


def test_undo_of_a_snooze_gives_what_repeats_its_next_date_again() -> None:
    rang = standing(3, "pills", -1, rrule=PILLS.rrule)
    first = hear("SNOOZE", replace(SOMEBODY, rang=replace(rang, rule_at=PILLS.rule_at)))
    again = replace(PILLS, due_at=NOW + timedelta(minutes=10), version=2)
    person = replace(SOMEBODY, last_change=first.last_change, changed=(again,), open_reminders=(TEA, again))
    undone = hear("UNDO", person)
    assert [move.due_at for move in undone.moves] == [PILLS.due_at]


def test_undo_gives_the_zone_back() -> None:
    there = hear("TZ Berlin")
    undone = hear("UNDO", replace(SOMEBODY, zone="Europe/Berlin", last_change=there.last_change))
    assert undone.zone == "America/New_York"
    assert "You are on New York time now" in (undone.reply or "")


def test_undo_gives_the_language_back_and_whether_it_was_chosen() -> None:
    chosen = hear("LANG hindi", replace(SOMEBODY, language="es"))
    assert (chosen.request.language, chosen.language_chosen) == ("hi", True)
    undone = hear("UNDO", replace(SOMEBODY, language="hi", language_chosen=True, last_change=chosen.last_change))
    assert (undone.request.language, undone.language_chosen) == ("es", False)


@pytest.mark.parametrize(
    "body", ["Remind tomorrow 9am about tea", "kal subah 9 baje chai", "LIST", "qwrtz", "DELETE 1"]
)
def test_a_chosen_language_stays_whatever_language_the_text_is_in(body: str) -> None:
    decision = hear(body, replace(SOMEBODY, language="es", language_chosen=True))
    assert decision.request.language == "es"
    assert decision.language_chosen is None


def test_yes_is_understood_in_any_language() -> None:
    asked = hear("DELETE ALL")
    person = replace(SOMEBODY, held=asked.held, language="es", language_chosen=True)
    assert hear("haan", person).cancel == (1, 3, 2)


@pytest.mark.parametrize(
    "body",
    [
        "feed the \U0001f431 tomorrow at 7pm",
        "\u0915\u0932 \u0938\u0941\u092c\u0939 9 \u092c\u091c\u0947 \u0926\u0942\u0927 \u0932\u0947\u0928\u093e",
        "buy the \u201cred\u201d cake \u2014 tomorrow 9am",
    ],
)
def test_other_letters_take_two_segments_at_most_at_first_and_one_later(body: str) -> None:
    newcomer = replace(SOMEBODY, version=None, open_reminders=(), reminders_open=0)
    first, later = hear(body, newcomer), hear(body)
    assert first.reminds
    assert "$0.01" in (first.reply or "") and "STOP" in (first.reply or "")
    assert segments(first.reply or "").segments <= 2
    assert segments(later.reply or "").segments == 1


def test_undo_does_not_bring_back_what_would_have_rung_by_now() -> None:
    gone = replace(TEA, state="cancelled", due_at=NOW - timedelta(minutes=1))
    change = {"what": "delete", "at": NOW.timestamp() - 60, "reminders": [{"id": str(TEA.id)}]}
    decision = hear("UNDO", replace(SOMEBODY, last_change=change, changed=(gone,)))
    assert (decision.moves, (decision.reply or "")[:25]) == ((), "There is nothing to undo.")


@pytest.mark.parametrize("body", ["2", "#2", "second", "the second one", "the other one", "Second."])
def test_a_choice_is_taken_in_many_words(body: str) -> None:
    asked = hear("remind me next friday about rent")
    assert asked.held is not None
    person = replace(SOMEBODY, held=asked.held, held_body="remind me next friday about rent", held_at=NOW)
    decision = hear(body, person, now=NOW + timedelta(minutes=5))
    assert decision.request.when == datetime(2026, 3, 13, 9, 0, tzinfo=NEW_YORK)
    assert (decision.reminds, decision.request.subject) == (True, "rent")


@pytest.mark.parametrize("body", ["yes", "Y", "sure", "delete all"])
def test_all_are_deleted_after_a_yes(body: str) -> None:
    person = replace(SOMEBODY, held=hear("DELETE ALL").held)
    assert hear(body, person).cancel == (1, 3, 2)
    assert hear("no", person).cancel == ()
    assert hear(body, person, now=NOW + timedelta(seconds=limits.HELD_SECONDS + 1)).cancel in ((), None)


@pytest.mark.parametrize(
    ("first", "second"),
    [("remind me about tea", "tomorrow 9am"), ("tomorrow 9am", "tea"), ("Remind me tomorrow 9am", "tea")],
)
def test_the_half_that_was_missing_completes_a_reminder(first: str, second: str) -> None:
    asked = hear(first)
    person = replace(SOMEBODY, held=asked.held, held_body=first, held_at=NOW)
    made = hear(second, person)
    assert (made.reminds, made.request.subject) == (True, "tea")
    assert made.request.when == datetime(2026, 3, 3, 9, 0, tzinfo=NEW_YORK)


def test_a_number_without_a_zone_is_asked_where_it_depends_on_it() -> None:
    nowhere = replace(SOMEBODY, number="+61412345678", zone="UTC", zone_known=False, dayfirst=True)
    assert hear("Remind in 20 minutes about tea", nowhere).reminds
    assert hear("Remind at 5pm London time about tea", nowhere).reminds
    assert hear("every 8 hours drops", nowhere).reminds
    for body in ("Remind tomorrow 9am about tea", "every day 8pm pills", "Remind on friday about tea"):
        asked = hear(body, nowhere)
        assert (asked.kind, asked.held and asked.held["what"]) == ("ask_zone", "zone")


@pytest.mark.parametrize("code", languages.codes())
def test_the_first_answer_says_what_it_costs_and_how_to_stop(code: str) -> None:
    texts = {
        "en": "Remind tomorrow 9am about the very long story of the princess and her seven bears in the wood",
        "es": "Recuérdame mañana a las 9 comprar té",
        "hi": "Kal subah 9 baje chai yaad dilana",
    }
    decision = hear(texts[code], replace(SOMEBODY, version=None, open_reminders=(), reminders_open=0))
    told = decision.reply or ""
    assert decision.reminds
    assert "$0.01" in told and "$0.10" in told and "STOP" in told
    assert segments(told).segments <= 2


@pytest.mark.parametrize("code", languages.codes())
def test_help_fits_one_segment(code: str) -> None:
    counted = segments(replies.help_text(language=code))
    assert (counted.encoding, counted.segments) == ("gsm7", 1)


@pytest.mark.parametrize("code", languages.codes())
def test_no_sentence_of_ours_doubles_the_price(code: str) -> None:
    long = {name: said for name, said in languages.table(code)["sms"].items() if segments(said).encoding != "gsm7"}
    assert long == {}


@pytest.mark.parametrize("code", languages.codes())
def test_every_language_says_everything_that_english_says(code: str) -> None:
    for part in ("sms", "call", "repeats", "answers"):
        assert set(languages.table(code)[part]) == set(languages.table("en")[part])


@given(body=st.text(max_size=80), held=st.sampled_from([None, "choose", "zone", "delete_all", "list"]))
def test_it_always_has_an_answer(body: str, held: str | None) -> None:
    asked = {
        "what": held,
        "at": NOW.timestamp(),
        "message": str(UUID(int=1)),
        "choices": [NOW.timestamp() + 60],
        "page": 2,
    }
    person = replace(SOMEBODY, held=asked if held else None, held_body="Remind tomorrow 9am about tea", held_at=NOW)
    decision = hear(body, person, now=NOW.astimezone(UTC))
    assert decision.reply or decision.kind == "stop"


def asked_which(*hours: float) -> Person:
    held = {
        "what": "choose",
        "message": str(UUID(int=1)),
        "at": NOW.timestamp(),
        "choices": [(NOW + timedelta(hours=h)).timestamp() for h in hours],
    }
    return replace(SOMEBODY, held=held, held_body="remind me about the vet", held_at=NOW)


@pytest.mark.parametrize(
    ("words", "chosen"), [("tomorrow", 24), ("the 9th", 168), ("monday", 168), ("the later one", 168), ("either", 24)]
)
def test_a_choice_is_taken_by_its_day_alone(words: str, chosen: float) -> None:
    decision = hear(words, asked_which(24, 168))
    assert (decision.kind, decision.request.when) == ("remind", NOW + timedelta(hours=chosen))


@pytest.mark.parametrize("words", ["1pm", "at 1pm"])
def test_a_choice_is_taken_by_its_hour(words: str) -> None:
    assert hear(words, asked_which(27, 28)).request.when == NOW + timedelta(hours=27)


@pytest.mark.parametrize("words", ["yes", "both", "hmm not sure", "7"])
def test_an_answer_that_names_no_choice_is_asked_again(words: str) -> None:
    decision = hear(words, asked_which(24, 168))
    assert decision.reply == replies.say("en", "no_such_choice", count=2)
    assert decision.held is not None


def test_of_several_reminders_the_one_to_delete_is_named_by_its_number_or_its_place() -> None:
    asked = hear("delete tea")
    assert asked.held is not None
    assert asked.held["numbers"] == [1, 2]
    waiting = replace(SOMEBODY, held=asked.held)
    assert hear("2", waiting).cancel == (2,)
    assert hear("the first", waiting).cancel == (1,)
    assert hear("no", waiting).cancel == ()


def test_several_are_deleted_at_once_or_none() -> None:
    assert hear("delete 1 and 3").cancel == (1, 3)
    assert hear("delete 1, 2 and 9").cancel == ()
    assert hear("delete the last one").cancel == (3,)


@pytest.mark.parametrize(
    ("words", "number", "phrase"),
    [("can you make pills 5pm instead", 2 + 1, "5pm"), ("push pills back an hour", 3, "an hour")],
)
def test_a_reminder_is_moved_by_its_name(words: str, number: int, phrase: str) -> None:
    decision = hear(words)
    assert (decision.request.kind, decision.request.number, decision.request.phrase) == ("move", number, phrase)


def test_what_is_no_name_of_a_reminder_is_a_new_one() -> None:
    assert hear("make dinner at 6pm").kind == "remind"


def test_a_reminder_is_renamed_by_its_name() -> None:
    decision = hear("rename pills to vitamins")
    assert decision.edit is not None
    assert decision.edit.subject == "vitamins"


@pytest.mark.parametrize("words", ["dunno", "later"])
def test_an_answer_without_a_time_is_asked_again(words: str) -> None:
    held = {"what": "when", "message": str(UUID(int=1)), "at": NOW.timestamp()}
    waiting = replace(SOMEBODY, held=held, held_body="remind me about the vet", held_at=NOW)
    assert hear(words, waiting).reply == replies.say("en", "ask_when", subject="the vet")


def test_how_often_and_when_make_one_rule() -> None:
    held = {"what": "when", "message": str(UUID(int=1)), "at": NOW.timestamp()}
    waiting = replace(SOMEBODY, held=held, held_body="take insulin twice a day", held_at=NOW)
    assert hear("8am and 8pm", waiting).request.rrule == "FREQ=DAILY;BYHOUR=8,20;BYMINUTE=0"


@pytest.mark.parametrize("words", ["cool thanks", "ok, great", "perfect thank you"])
def test_thanks_in_several_words_are_thanks(words: str) -> None:
    assert hear(words).reply == replies.say("en", "thanks_said")


AFTER_MIDNIGHT: Final = datetime(2026, 3, 3, 0, 30, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("body", "told", "offered"),
    [
        ("Remind tomorrow 9am about tea", "Wed 4 Mar", "(Meant today, Tue 3 Mar 2026? Text MOVE 4 to today.)"),
        ("Recuérdame mañana a las 9 comprar té", "mie 4 mar", "(Querias decir hoy, mar 3 mar 2026? MOVER 4 a hoy.)"),
        ("kal subah 9 baje chai", "budhvar 4 Mar", "(Aaj, mangalvar 3 Mar 2026? MOVE 4 to today bhejein.)"),
    ],
)
def test_tomorrow_after_midnight_is_the_calendar_s_and_says_how_to_have_today(
    body: str, told: str, offered: str
) -> None:
    decision = hear(body, now=AFTER_MIDNIGHT)
    reply = decision.reply or ""
    assert (decision.outcome, told in reply, reply.endswith(f" {offered}")) == ("reminder", True, True)
    assert segments(reply).segments == 1


@pytest.mark.parametrize("body", ["Remind tomorrow at 2am about tea", "Remind on wednesday 9am about tea"])
def test_what_can_only_be_meant_one_way_after_midnight_offers_nothing(body: str) -> None:
    decision = hear(body, now=AFTER_MIDNIGHT)
    assert (decision.outcome, "today" in (decision.reply or "")) == ("reminder", False)


@pytest.mark.parametrize(
    ("body", "moved"),
    [
        ("MOVE 1 to today", "Moved #1 tea: Tue 3 Mar 2026, 9:00 AM"),
        ("make it today", "Moved #1 tea: Tue 3 Mar 2026, 9:00 AM"),
        ("MOVER 1 a hoy", "Cambiado #1 tea: mar 3 mar 2026, 09:00"),
    ],
)
def test_what_was_set_for_tomorrow_is_moved_to_today_with_its_time(body: str, moved: str) -> None:
    tomorrow = replace(TEA, due_at=datetime(2026, 3, 4, 9, 0, tzinfo=NEW_YORK))
    person = replace(SOMEBODY, open_reminders=(tomorrow,))
    assert (hear(body, person, now=AFTER_MIDNIGHT).reply or "").startswith(moved)


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ("pills every day at 6pm and also on the 3rd", "pills"),
        ("call mum tomorrow at 5 and friday at 6", "call mum"),
        ("dawai har din subah 9 baje aur har guruvar shaam 5 baje", "dawai"),
    ],
)
def test_of_several_times_it_asks_which_and_holds_the_subject(body: str, subject: str) -> None:
    asked = hear(body)
    assert (asked.kind, (asked.held or {}).get("what")) == ("asked_back", "when")
    person = replace(SOMEBODY, held=asked.held, held_body=body, held_at=NOW)
    answered = hear("every day at 6pm", person, now=NOW + timedelta(minutes=1))
    assert (answered.outcome, answered.request.subject) == ("reminder", subject)
    assert answered.request.rrule == "FREQ=DAILY;BYHOUR=18;BYMINUTE=0"
