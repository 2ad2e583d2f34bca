-- A proof that came late: the reminder's row is corrected by one guarded move, its pending ring cancelled, and a new one
-- made where it rings again. Locks the reminder (taken by load_attempt.sql), then its occurrences and timers.
-- Served by the primary keys, occurrence_once and timer_once (why the kind is no constant: settle.sql).
WITH moved AS (
  UPDATE reminders_reminder r
     SET state = %(reminder_state)s::text, version = r.version + 1,
         generation = r.generation + (%(ring_at)s::timestamptz IS NOT NULL)::int,
         sequence = r.sequence + (%(next_occurrence_id)s::uuid IS NOT NULL)::int,
         attempts = CASE WHEN %(next_occurrence_id)s::uuid IS NULL THEN r.attempts ELSE 0 END,
         tries = CASE WHEN %(next_occurrence_id)s::uuid IS NULL THEN r.tries ELSE 0 END,
         due_at = coalesce(%(ring_at)s::timestamptz, r.due_at),
         rule_at = coalesce(%(rule_at)s::timestamptz, r.rule_at),
         ended_at = CASE WHEN %(reminder_state)s::text = 'scheduled' THEN NULL ELSE %(at)s::timestamptz END
   WHERE r.id = %(reminder_id)s::uuid AND r.version = %(version)s::int
  RETURNING r.*, 'ring' AS timer_kind
), attempt AS (
  UPDATE reminders_attempt a SET outcome = %(outcome)s::text FROM moved
   WHERE a.id = %(attempt_id)s::uuid AND a.state IN ('ended', 'not_placed')
), occurrence AS (
  UPDATE reminders_occurrence o SET outcome = %(occurrence_outcome)s::text, ended_at = %(at)s::timestamptz,
         late = coalesce(o.late, %(late)s::boolean)
    FROM moved WHERE o.id = %(occurrence_id)s::uuid
), put_off AS (
  -- The rule had gone on to its next date: it comes to that again, as another occurrence.
  UPDATE reminders_occurrence o SET outcome = 'snoozed', ended_at = %(at)s::timestamptz
    FROM moved WHERE o.reminder_id = moved.id AND o.sequence = moved.sequence - 1 AND o.outcome IS NULL
     AND o.id <> %(occurrence_id)s::uuid
), cancelled AS (
  DELETE FROM reminders_timer t USING moved WHERE t.kind = moved.timer_kind AND t.key = moved.id
), next AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT %(next_occurrence_id)s::uuid, id, sequence, bucket, due_at FROM moved WHERE %(next_occurrence_id)s::uuid IS NOT NULL
), ring AS (
  INSERT INTO reminders_timer (id, kind, key, generation, bucket, subscriber_id, due_at, wake_at, made_late_at)
  SELECT ringback_uuid7(), 'ring', id, generation, bucket, subscriber_id, %(ring_at)s::timestamptz,
         greatest(%(ring_at)s::timestamptz, now()),
         CASE WHEN %(ring_at)s::timestamptz < now() THEN now() END
    FROM moved WHERE %(ring_at)s::timestamptz IS NOT NULL
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, %(attempt_id)s::uuid, bucket, version, 'reminder.' || %(what)s::text,
         %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('ring_at', %(ring_at)s::timestamptz, 'outcome', %(outcome)s::text), trace_context FROM moved
)
SELECT id FROM moved
