-- The end of an attempt, and what follows: again later, the next occurrence, or the reminder's end.
-- One guarded move of the attempt, and (where reminder_state is given) one of the reminder, by its version.
-- Lock order: reminder and attempt (taken by load_attempt.sql), occurrence, the open call, timers. Why the kinds of these are
-- rows: settle.sql.
WITH attempt AS (
  UPDATE reminders_attempt
     SET state = %(attempt_state)s::text, outcome = %(outcome)s::text, reason = coalesce(%(reason)s::text, reason),
         ended_at = %(at)s::timestamptz
   WHERE id = %(attempt_id)s::uuid AND state = %(attempt_was)s::text
  RETURNING *
), moved AS (
  UPDATE reminders_reminder r
     SET state = %(reminder_state)s::text, version = r.version + 1,
         generation = r.generation + (%(ring_at)s::timestamptz IS NOT NULL)::int,
         sequence = r.sequence + (%(next_occurrence_id)s::uuid IS NOT NULL)::int,
         attempts = CASE WHEN %(next_occurrence_id)s::uuid IS NULL THEN r.attempts ELSE 0 END,
         tries = CASE WHEN %(next_occurrence_id)s::uuid IS NULL THEN r.tries + %(tried)s::int ELSE 0 END,
         due_at = coalesce(%(next_due_at)s::timestamptz, r.due_at),
         rule_at = coalesce(%(rule_at)s::timestamptz, r.rule_at),
         ended_at = CASE WHEN %(reminder_state)s::text = 'scheduled' THEN NULL ELSE %(at)s::timestamptz END
    FROM attempt WHERE r.id = attempt.reminder_id AND r.version = %(version)s::int
     AND %(reminder_state)s::text IS NOT NULL
  RETURNING r.*
), rang AS (
  -- When the occurrence first rang. A busy line or a drop without a word of ringing was an attempt in time all the same.
  SELECT o.id, a.wait_cause, coalesce(o.rang_at, a.ringing_at, CASE WHEN %(tried)s::int = 1
           THEN coalesce(a.call_ended_at, a.placed_at) END) AS at
    FROM attempt a JOIN reminders_occurrence o ON o.id = a.occurrence_id
), occurrence AS (
  UPDATE reminders_occurrence o
     SET rang_at = rang.at,
         -- greatest() passes over NULL: what never rang has no lateness, not one of 0.
         lateness_ms = coalesce(o.lateness_ms, CASE WHEN rang.at IS NOT NULL THEN
           greatest(0, extract(epoch FROM rang.at - o.due_at) * 1000)::bigint END),
         late = coalesce(o.late, %(late)s::boolean),
         late_cause = coalesce(o.late_cause, rang.wait_cause),
         outcome = coalesce(o.outcome, %(occurrence_outcome)s::text),
         ended_at = CASE WHEN %(occurrence_outcome)s::text IS NULL THEN o.ended_at ELSE coalesce(o.ended_at, %(at)s::timestamptz) END
    FROM rang WHERE o.id = rang.id
), next AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT %(next_occurrence_id)s::uuid, id, sequence, bucket, due_at FROM moved WHERE %(next_occurrence_id)s::uuid IS NOT NULL
), ring AS (
  INSERT INTO reminders_timer (id, kind, key, generation, bucket, subscriber_id, due_at, wake_at, wait_cause, made_late_at)
  -- The carrier took its time to say so: a scan starts shortly before now.
  SELECT ringback_uuid7(), 'ring', id, generation, bucket, subscriber_id, %(ring_at)s::timestamptz,
         greatest(%(ring_at)s::timestamptz, now()),
         %(wait_cause)s::text, CASE WHEN %(ring_at)s::timestamptz < now() THEN now() END
    FROM moved WHERE %(ring_at)s::timestamptz IS NOT NULL
), closed AS (
  DELETE FROM reminders_opencall c USING attempt WHERE c.subscriber_id = attempt.subscriber_id AND c.attempt_id = attempt.id
  RETURNING c.subscriber_id
), done AS (
  DELETE FROM reminders_timer t USING attempt, (VALUES ('look_up'), ('hang_up')) AS its (kind)
   WHERE t.kind = its.kind AND t.key = attempt.id
), woken AS (
  UPDATE reminders_timer t SET wake_at = now(), parked = false
   WHERE t.id = (SELECT w.id FROM reminders_timer w
                  WHERE w.subscriber_id = (SELECT subscriber_id FROM closed) AND w.parked
                  ORDER BY w.due_at, w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
), events AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, reminder_id, id, bucket, NULL, 'attempt.' || state, %(at)s::timestamptz,
         jsonb_build_object('outcome', outcome, 'reason', reason, 'carrier_sid', carrier_sid), trace_context FROM attempt
  UNION ALL
  SELECT ringback_uuid7(), m.subscriber_id, m.id, %(attempt_id)s::uuid, m.bucket, m.version, 'reminder.' || %(what)s::text,
         %(at)s::timestamptz,
         ringback_facts(m.state, m.sequence, m.due_at, m.generation, m.attempts, m.tries, m.ended_at)
           || jsonb_build_object('ring_at', %(ring_at)s::timestamptz, 'outcome', %(outcome)s::text), attempt.trace_context
    FROM moved m, attempt
)
SELECT (SELECT count(*) FROM attempt) AS attempts, (SELECT count(*) FROM moved) AS reminders
