-- A ring that comes too late to be made: the occurrence is missed; the rule goes on, or the reminder ends.
-- Guarded by the claim (fencing token, lease) and the reminder's generation. Lock order: reminder, occurrence, timers.
WITH moved AS (
  UPDATE reminders_reminder r
     SET state = CASE WHEN %(next_due_at)s::timestamptz IS NULL THEN 'missed' ELSE 'scheduled' END,
         version = r.version + 1, attempts = 0, tries = 0,
         generation = r.generation + (%(next_due_at)s::timestamptz IS NOT NULL)::int,
         sequence = r.sequence + (%(next_due_at)s::timestamptz IS NOT NULL)::int,
         due_at = coalesce(%(next_due_at)s::timestamptz, r.due_at), rule_at = coalesce(%(next_due_at)s::timestamptz, r.rule_at),
         ended_at = CASE WHEN %(next_due_at)s::timestamptz IS NULL THEN %(at)s::timestamptz END
    FROM reminders_timer t
   WHERE t.id = %(timer_id)s::uuid AND t.token = %(token)s::uuid AND (t.leased_until > now() OR t.wake_at > now())
     AND r.id = t.key AND r.generation = t.generation AND r.state = 'scheduled'
  RETURNING r.*
), ended AS (
  UPDATE reminders_occurrence o SET outcome = 'missed', ended_at = %(at)s::timestamptz
    FROM moved WHERE o.reminder_id = moved.id AND o.outcome IS NULL
     AND o.sequence = moved.sequence - (%(next_due_at)s::timestamptz IS NOT NULL)::int
), next AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT ringback_uuid7(), id, sequence, bucket, due_at FROM moved WHERE %(next_due_at)s::timestamptz IS NOT NULL
), ring AS (
  INSERT INTO reminders_timer (id, kind, key, generation, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'ring', id, generation, bucket, subscriber_id, due_at, due_at
    FROM moved WHERE %(next_due_at)s::timestamptz IS NOT NULL
), spent AS (
  DELETE FROM reminders_timer t USING moved WHERE t.id = %(timer_id)s::uuid
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, bucket, version, 'reminder.missed', %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || '{"cause": "too_late"}'::jsonb, trace_context FROM moved
)
SELECT id FROM moved
