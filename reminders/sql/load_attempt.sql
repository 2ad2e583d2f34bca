-- An attempt with its reminder and person, to conclude it. Late or not is what was stored when the words were asked
-- for; where they never were, it is decided now. Locks the reminder, then the attempt.
SELECT a.id, a.reminder_id, a.occurrence_id, a.subscriber_id, a.bucket, a.sequence, a.number, a.state, a.intended_at,
       a.placed_at, a.carrier_sid, a.ringing_at, a.answered_at, a.words_at, a.call_ended_at, a.call_status,
       a.answered_by, a.duration_seconds, a.pressed, a.pressed_at, a.outcome, a.reason, a.ended_at, a.look_ups, a.looker, a.looked_ms,
       a.trace_context, r.state AS reminder_state, r.version, r.sequence AS present_sequence, r.generation, r.attempts,
       r.tries, r.rrule, r.rule_at, r.zone, r.due_at, r.subject, r.language, r.number AS reminder_number, r.ended_at AS reminder_ended_at,
       s.number AS phone, s.account_id, s.stopped_at, s.started_at, o.outcome AS occurrence_outcome,
       coalesce(o.late, coalesce(o.rang_at, a.ringing_at, a.call_ended_at, a.placed_at) - o.due_at
                          > make_interval(secs => %(freshness_seconds)s::float8)) AS late,
       EXISTS (SELECT FROM reminders_attempt x WHERE x.occurrence_id = a.occurrence_id AND x.id <> a.id
                AND x.id >= %(oldest)s::uuid AND x.outcome = 'answered') AS answered_before
  FROM reminders_attempt a
  JOIN reminders_reminder r ON r.id = a.reminder_id
  JOIN reminders_subscriber s ON s.id = a.subscriber_id
  JOIN reminders_occurrence o ON o.id = a.occurrence_id
 WHERE a.id = %(attempt_id)s::uuid
   FOR UPDATE OF r, a
