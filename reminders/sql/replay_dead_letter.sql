-- A dead letter rings again, by hand: a new generation, its timer due now. Locks the reminder.
WITH moved AS (
  UPDATE reminders_reminder
     SET state = 'scheduled', version = version + 1, generation = generation + 1, attempts = 0, tries = 0, ended_at = NULL
   WHERE id = %(reminder_id)s::uuid AND state = 'dead'
  RETURNING *
), occurrence AS (
  UPDATE reminders_occurrence o SET outcome = NULL, ended_at = NULL FROM moved
   WHERE o.reminder_id = moved.id AND o.sequence = moved.sequence
  RETURNING o.due_at
), ring AS (
  INSERT INTO reminders_timer (id, kind, key, generation, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'ring', id, generation, bucket, subscriber_id, now(), now() FROM moved
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, bucket, version, 'reminder.replayed', %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('by', %(by)s::text), trace_context FROM moved
)
SELECT coalesce(o.due_at, moved.due_at), moved.zone,
       s.stopped_at IS NOT NULL AND (s.started_at IS NULL OR s.started_at <= s.stopped_at) AS stopped
  FROM moved JOIN reminders_subscriber s ON s.id = moved.subscriber_id LEFT JOIN occurrence o ON true
