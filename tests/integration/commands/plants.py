"""What a test plants, each break in one place: the promise that it breaks, the name that audit must give it, the SQL.

The statements run in order; the last one returns the ids that audit must name. They run as a superuser whom no
trigger and no foreign key stops, since the database refuses most of this to everybody else.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Plant:
    """One break in our own books."""

    promise: str
    kind: str
    statements: tuple[str, ...]


def _person(number: int) -> str:
    return f"(SELECT id FROM reminders_subscriber WHERE number = '+12025550{number}')"


def _reminder(number: int) -> str:
    return f"(SELECT id FROM reminders_reminder WHERE subscriber_id = {_person(number)})"


ANSWERS, MISSES, WAITS, STOPS, LATE, RINGS = (_person(number) for number in (123, 124, 125, 126, 127, 128))
TEA, MILK, RENT, DENTIST, BUS, CAT = (_reminder(number) for number in (123, 124, 125, 126, 127, 128))
LISTED = f"subscriber_id = {WAITS} AND kind = 'list'"
TEA_SMS = f"(SELECT id FROM reminders_message WHERE subscriber_id = {ANSWERS})"
TEA_CALL = f"(SELECT id FROM reminders_attempt WHERE reminder_id = {TEA})"
TEA_OCCURRENCE = f"(SELECT id FROM reminders_occurrence WHERE reminder_id = {TEA})"
# Where the person may have others by then: their first.
RENT_ONCE, DENTIST_ONCE = (
    f"(SELECT id FROM reminders_reminder WHERE subscriber_id = {who} AND number = 1)" for who in (WAITS, STOPS)
)
RENT_SMS = f"(SELECT message_id FROM reminders_reminder WHERE id = {RENT_ONCE})"
TRACE = "'00-' || repeat('a', 32) || '-' || repeat('b', 16) || '-00'"


ORPHAN = "'0199aaaa-0000-7000-8000-000000000001'::uuid"


def _copy(table: str, where: str, **changed: str) -> str:
    """INSERT … SELECT of rows as they stand, but for some columns."""
    columns = ", ".join(f"'{name}', {value}" for name, value in changed.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(was, jsonb_build_object({columns}))).*"
        f" FROM {table} AS was, generate_series(1, 200) AS nth WHERE {where}"
    )


def _once(table: str, where: str, **changed: str) -> str:
    return _copy(table, f"nth = 1 AND {where}", **changed)


def _nth(what: str) -> str:
    """An id for each of 200 copies, the same in every statement."""
    return f"md5('{what}' || nth)::uuid"


def _plant(promise: str, kind: str, *statements: str) -> Plant:
    return Plant(promise=promise, kind=kind, statements=statements)


PLANTS: Final = (
    # P1
    _plant("P1", "message_lost", f"DELETE FROM reminders_message WHERE {LISTED} RETURNING id"),
    _plant(
        "P1",
        "outcome_differs",
        f"UPDATE reminders_messagekey SET outcome = 'reminder' WHERE id = (SELECT id FROM reminders_message"
        f" WHERE {LISTED})"
        " RETURNING id",
    ),
    _plant(
        "P1",
        "outcome_unproved",
        "DELETE FROM reminders_event WHERE what = 'message.list' RETURNING (detail ->> 'message')::uuid",
    ),
    _plant("P1", "reply_forgotten", f"UPDATE reminders_reply SET state = 'unknown' WHERE {LISTED} RETURNING id"),
    _plant(
        "P1",
        "reply_without_reason",
        f"UPDATE reminders_reply SET state = 'undelivered', ended_at = now() + interval '1 day' WHERE"
        f" {LISTED} RETURNING id",
    ),
    _plant(
        "P1",
        "reply_missing",
        f"DELETE FROM reminders_carrierkey WHERE id = (SELECT id FROM reminders_reply WHERE {LISTED})",
        f"WITH gone AS (DELETE FROM reminders_reply WHERE {LISTED} RETURNING message_id) SELECT message_id FROM gone",
    ),
    _plant(
        "P1",
        "message_without_key",
        _once("reminders_message", LISTED, id=ORPHAN, kind="'stopped'", outcome="'refused'"),
        "INSERT INTO reminders_event (id, subscriber_id, bucket, what, occurred_at, detail, trace_context)"
        " SELECT gen_random_uuid(), subscriber_id, bucket, 'message.stopped', now(),"
        f" jsonb_build_object('message', id), trace_context FROM reminders_message WHERE id = {ORPHAN}"
        " RETURNING (detail ->> 'message')::uuid",
    ),
    _plant(
        "P1",
        "reminder_missing",
        f"UPDATE reminders_message SET reminder_id = gen_random_uuid() WHERE id = {TEA_SMS} RETURNING id",
    ),
    _plant(
        "P1",
        "reminder_without_message",
        _once("reminders_reminder", f"id = {DENTIST}", id=ORPHAN, number="99", message_id="gen_random_uuid()"),
        _once("reminders_occurrence", f"reminder_id = {DENTIST_ONCE}", id="gen_random_uuid()", reminder_id=ORPHAN),
        _once("reminders_event", f"reminder_id = {DENTIST_ONCE}", id="gen_random_uuid()", reminder_id=ORPHAN)
        + " RETURNING reminder_id",
    ),
    _plant(
        "P1",
        "refusal_untold",
        "UPDATE reminders_messagekey SET reply_id = NULL WHERE id = (SELECT id FROM reminders_message"
        f" WHERE subscriber_id = {WAITS} AND outcome = 'refused') RETURNING id",
    ),
    # P2
    _plant(
        "P2",
        "ringing_without_attempt",
        f"UPDATE reminders_attempt SET state = 'ended', outcome = 'no_answer', ended_at = now() WHERE reminder_id = {CAT}",
        f"DELETE FROM reminders_opencall WHERE subscriber_id = {RINGS}",
        f"DELETE FROM reminders_timer WHERE kind = 'look_up' AND subscriber_id = {RINGS}",
        "UPDATE billing_hold SET state = 'voided', ended_at = now() WHERE state = 'reserved'"
        f" AND id IN (SELECT id FROM reminders_attempt WHERE reminder_id = {CAT}) RETURNING {CAT}",
    ),
    _plant(
        "P2",
        "attempt_open_too_long",
        f"UPDATE reminders_attempt SET intended_at = now() - interval '1 day' WHERE reminder_id = {CAT} RETURNING id",
    ),
    _plant("P2", "ring_missing", f"DELETE FROM reminders_timer WHERE kind = 'ring' AND key = {RENT} RETURNING key"),
    _plant(
        "P2",
        "ring_stray",
        "INSERT INTO reminders_timer (id, kind, key, generation, bucket, due_at, wake_at) SELECT"
        " gen_random_uuid(), 'ring',"
        f" {RENT}, 7, 0, now() + interval '1 day', now() + interval '1 day' RETURNING id",
    ),
    _plant(
        "P2",
        "timer_overdue",
        "UPDATE reminders_timer SET due_at = now() - interval '61 seconds', wake_at = now() - interval '61 seconds'"
        f" WHERE kind = 'ring' AND key = {RENT} RETURNING id",
    ),
    _plant(
        "P2",
        "look_up_missing",
        f"DELETE FROM reminders_timer WHERE kind = 'look_up' AND subscriber_id = {RINGS} RETURNING key",
    ),
    _plant(
        "P2",
        "look_up_too_far",
        "UPDATE reminders_timer SET due_at = now() + interval '1 day', wake_at = now() + interval '1 day'"
        f" WHERE kind = 'look_up' AND subscriber_id = {RINGS} RETURNING key",
    ),
    _plant(
        "P2", "open_call_missing", f"DELETE FROM reminders_opencall WHERE subscriber_id = {RINGS} RETURNING attempt_id"
    ),
    _plant(
        "P2",
        "open_call_stray",
        f"INSERT INTO reminders_opencall (subscriber_id, attempt_id) VALUES ({ANSWERS}, {TEA_CALL}) RETURNING"
        f" attempt_id",
    ),
    _plant(
        "P2",
        "missed_untold",
        f"UPDATE reminders_reply SET kind = 'notice' WHERE subscriber_id = {MISSES} AND kind = 'missed'"
        f" RETURNING reminder_id",
    ),
    _plant(
        "P2",
        "occurrence_wrong",
        f"UPDATE reminders_occurrence SET outcome = 'cancelled' WHERE reminder_id = {RENT} RETURNING reminder_id",
    ),
    _plant(
        "P2",
        "open_after_stop",
        f"UPDATE reminders_subscriber SET stopped_at = now() WHERE id = {WAITS} RETURNING {RENT}",
    ),
    # P3 (the rest is planted in the carrier's books)
    _plant(
        "P3",
        "attempts_overlap",
        f"UPDATE reminders_attempt SET ended_at = ended_at + interval '1 minute' WHERE number = 1 AND"
        f" reminder_id = {MILK}"
        f" RETURNING (SELECT id FROM reminders_attempt WHERE number = 2 AND reminder_id = {MILK})",
    ),
    _plant(
        "P3",
        "key_differs",
        "INSERT INTO reminders_carrierkey (id, carrier, carrier_sid)"
        " VALUES (gen_random_uuid(), 'twilio', 'CA' || repeat('0', 32)) RETURNING id",
    ),
    # P4
    _plant(
        "P4",
        "message_charge",
        f"DELETE FROM billing_entry WHERE transaction_id = (SELECT id FROM billing_ledgertransaction WHERE"
        f" key = {TEA_SMS})",
        f"DELETE FROM billing_ledgertransaction WHERE key = {TEA_SMS} RETURNING key",
    ),
    _plant(
        "P4",
        "answer_not_charged",
        "DELETE FROM billing_entry WHERE transaction_id ="
        f" (SELECT id FROM billing_ledgertransaction WHERE key = {TEA_OCCURRENCE})",
        f"DELETE FROM billing_ledgertransaction WHERE key = {TEA_OCCURRENCE}",
        f"UPDATE billing_hold SET state = 'voided' WHERE id = {TEA_CALL} RETURNING occurrence_id",
    ),
    _plant(
        "P4",
        "unbalanced",
        "UPDATE billing_entry SET amount_minor = 12 WHERE line = 2 AND transaction_id ="
        f" (SELECT id FROM billing_ledgertransaction WHERE key = {TEA_OCCURRENCE}) RETURNING transaction_id",
    ),
    _plant(
        "P4",
        "hold_differs",
        f"DELETE FROM billing_hold WHERE id = (SELECT id FROM reminders_attempt WHERE number = 1 AND"
        f" reminder_id = {MILK})"
        " RETURNING id",
    ),
    _plant(
        "P4",
        "charge_without_message",
        'UPDATE billing_ledgertransaction SET evidence = evidence || \'{"sid": "SM0"}\''
        f" WHERE key = {TEA_SMS} RETURNING id",
    ),
    _plant(
        "P4",
        "charge_without_answer",
        f"UPDATE reminders_attempt SET outcome = 'no_answer' WHERE id = {TEA_CALL}"
        f" RETURNING (SELECT id FROM billing_ledgertransaction WHERE key = {TEA_OCCURRENCE})",
    ),
    # P5
    _plant(
        "P5",
        "lateness_differs",
        f"UPDATE reminders_occurrence SET lateness_ms = 7 WHERE reminder_id = {BUS} RETURNING id",
    ),
    _plant(
        "P5",
        "lateness_missing",
        f"UPDATE reminders_occurrence SET lateness_ms = NULL WHERE reminder_id = {MILK} RETURNING id",
    ),
    _plant(
        "P5", "late_undecided", f"UPDATE reminders_occurrence SET late = NULL WHERE reminder_id = {TEA} RETURNING id"
    ),
    _plant(
        "P5",
        "late_charged",
        "UPDATE reminders_occurrence SET late = true, rang_at = due_at + interval '2 minutes', lateness_ms = 120000"
        f" WHERE reminder_id = {TEA} RETURNING id",
    ),
    _plant(
        "P5",
        "late_differs",
        "UPDATE reminders_occurrence SET rang_at = due_at + interval '2 minutes', lateness_ms = 120000"
        f" WHERE reminder_id = {TEA} RETURNING id",
    ),
    # P7
    _plant(
        "P7", "trace_invalid", f"UPDATE reminders_attempt SET trace_context = '' WHERE id = {TEA_CALL} RETURNING id"
    ),
    _plant("P7", "trace_invalid", f"UPDATE reminders_reply SET trace_context = 'none' WHERE {LISTED} RETURNING id"),
    _plant(
        "P7", "trace_broken", f"UPDATE reminders_reminder SET trace_context = {TRACE} WHERE id = {RENT} RETURNING id"
    ),
    _plant(
        "P7",
        "of_nobody",
        "UPDATE reminders_event SET subscriber_id = gen_random_uuid() WHERE what = 'reply.sent' AND id ="
        " (SELECT min(id::text)::uuid FROM reminders_event WHERE what = 'reply.sent') RETURNING id",
    ),
    # P8
    _plant(
        "P8",
        "versions_broken",
        f"DELETE FROM reminders_event WHERE reminder_id = {RENT} AND version = 1 RETURNING reminder_id",
    ),
    _plant("P8", "replay_differs", f"UPDATE reminders_reminder SET tries = 1 WHERE id = {RENT} RETURNING id"),
    _plant(
        "P8",
        "move_forbidden",
        "UPDATE reminders_event SET detail = detail || '{\"state\": \"lost\"}' WHERE what = 'reminder.ringing'"
        f" AND reminder_id = {BUS} RETURNING reminder_id",
    ),
    # P9
    _plant(
        "P9",
        "number_invalid",
        "ALTER TABLE reminders_subscriber DROP CONSTRAINT subscriber_e164",
        "INSERT INTO reminders_subscriber (id, number, bucket, account_id)"
        " VALUES (gen_random_uuid(), 'Bank', 1, gen_random_uuid()) RETURNING id",
    ),
    _plant(
        "P9",
        "over_limit",
        f"UPDATE reminders_reminder SET subject = repeat('x', 501) WHERE id = {RENT} RETURNING id",
    ),
    _plant(
        "P9",
        "sid_malformed",
        "UPDATE reminders_carrierkey SET carrier = 'other', carrier_sid = 'SM1'"
        f" WHERE id = (SELECT id FROM reminders_reply WHERE {LISTED})",
        f"UPDATE reminders_reply SET carrier = 'other', carrier_sid = 'SM1' WHERE {LISTED} RETURNING id",
    ),
    # 200 reminders more, each whole: by messages of another carrier, of a kind that is free.
    _plant(
        "P9",
        "too_many_open",
        _copy(
            "reminders_messagekey",
            f"id = {RENT_SMS}",
            id=_nth("message"),
            carrier="'other'",
            carrier_sid="'SM' || md5('sid' || nth)",
            reply_id="NULL",
        ),
        _copy(
            "reminders_message",
            f"id = {RENT_SMS}",
            id=_nth("message"),
            carrier="'other'",
            carrier_sid="'SM' || md5('sid' || nth)",
            kind="'stop'",
            reminder_id=_nth("reminder"),
        ),
        _copy(
            "reminders_reminder", f"id = {RENT}", id=_nth("reminder"), message_id=_nth("message"), number="100 + nth"
        ),
        _copy(
            "reminders_occurrence", f"reminder_id = {RENT_ONCE}", id=_nth("occurrence"), reminder_id=_nth("reminder")
        ),
        _copy(
            "reminders_event",
            f"reminder_id = {RENT_ONCE}",
            id="md5('event' || nth || was.id)::uuid",
            reminder_id=_nth("reminder"),
        ),
        _copy("reminders_timer", f"kind = 'ring' AND key = {RENT_ONCE}", id=_nth("timer"), key=_nth("reminder"))
        + " RETURNING subscriber_id",
    ),
    _plant("P9", "bucket_differs", f"UPDATE reminders_reply SET bucket = 1023 - bucket WHERE {LISTED} RETURNING id"),
)
