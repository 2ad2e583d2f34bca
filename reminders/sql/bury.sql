-- Dead letters: reminders whose ring timer is poison (reminders/poison.py). Only while the claim is ours.
-- Lock order: reminders, timers. An alert fires on reminder_dead.
WITH poison AS (
  SELECT t.id, t.key, t.generation FROM reminders_timer t
    JOIN reminders_reminder r ON r.id = t.key AND r.state = 'scheduled' AND r.generation = t.generation
   WHERE t.id = ANY (%(ids)s::uuid[]) AND t.token = %(token)s::uuid AND t.kind = 'ring'
   ORDER BY r.id FOR UPDATE OF r, t
), moved AS (
  UPDATE reminders_reminder r
     SET state = 'dead', version = r.version + 1, ended_at = %(at)s::timestamptz
    FROM poison WHERE r.id = poison.key
  RETURNING r.*, poison.id AS timer_id
), ended AS (
  UPDATE reminders_occurrence o SET outcome = 'dead', ended_at = %(at)s::timestamptz
    FROM moved WHERE o.reminder_id = moved.id AND o.sequence = moved.sequence
), gone AS (
  DELETE FROM reminders_timer t USING poison WHERE t.id = poison.id
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, bucket, version, 'reminder.dead', %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('cause', %(cause)s::text), trace_context FROM moved
)
SELECT timer_id FROM moved
