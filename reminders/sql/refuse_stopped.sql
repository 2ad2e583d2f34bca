-- Claimed reminders of people who have said stop: cancelled, so that none is forgotten. Normally STOP has done it.
-- Lock order: persons (share), reminders, timers.
WITH person AS (
  SELECT s.id FROM reminders_subscriber s
    JOIN reminders_reminder r ON r.subscriber_id = s.id
    JOIN reminders_timer t ON t.key = r.id AND t.kind = 'ring'
   WHERE t.id = ANY (%(ids)s::uuid[]) AND s.stopped_at IS NOT NULL
     AND (s.started_at IS NULL OR s.started_at <= s.stopped_at)
   ORDER BY s.id FOR SHARE OF s
), moved AS (
  UPDATE reminders_reminder r SET state = 'cancelled', version = r.version + 1, ended_at = now()
    FROM reminders_timer t
   WHERE t.id = ANY (%(ids)s::uuid[]) AND t.token = %(token)s::uuid AND t.kind = 'ring' AND r.id = t.key
     AND r.state = 'scheduled' AND r.generation = t.generation AND r.subscriber_id IN (SELECT id FROM person)
  RETURNING r.*
), ended AS (
  UPDATE reminders_occurrence o SET outcome = 'cancelled', ended_at = now()
    FROM moved WHERE o.reminder_id = moved.id AND o.sequence = moved.sequence AND o.outcome IS NULL
)
INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
SELECT ringback_uuid7(), subscriber_id, id, bucket, version, 'reminder.cancelled', now(),
       ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
         || jsonb_build_object('cause', 'stop'), trace_context FROM moved
