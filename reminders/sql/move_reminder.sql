-- A reminder shall ring at another time: MOVE, SNOOZE by text, SKIP of one date, UNDO. Always as a new occurrence, so
-- that what rang before stays what it was. The guard is the reminder's version and state, as they were read.
-- Lock order: reminder, occurrence, timers (the person is locked before by intake_record). Served by primary keys and
-- timer_once (why the kind is no constant: settle.sql).
WITH moved AS (
  UPDATE reminders_reminder r
     SET state = 'scheduled', version = r.version + 1, generation = r.generation + 1, sequence = r.sequence + 1,
         attempts = 0, tries = 0, due_at = %(due_at)s::timestamptz, ended_at = NULL,
         rule_at = coalesce(%(rule_at)s::timestamptz, r.rule_at)
   WHERE r.id = %(reminder_id)s::uuid AND r.version = %(version)s::int AND r.state = %(was)s::text
     AND r.state IN ('scheduled', 'answered', 'missed', 'cancelled')
  RETURNING r.*, 'ring' AS timer_kind
), ended AS (
  UPDATE reminders_occurrence o
     SET outcome = coalesce(o.outcome, %(occurrence_outcome)s::text), ended_at = coalesce(o.ended_at, %(at)s::timestamptz)
    FROM moved WHERE o.reminder_id = moved.id AND o.sequence = moved.sequence - 1
), occurrence AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at)
  SELECT %(occurrence_id)s::uuid, id, sequence, bucket, due_at FROM moved
), dropped AS (
  DELETE FROM reminders_timer t USING moved
   WHERE t.kind = moved.timer_kind AND t.key = moved.id AND t.generation = moved.generation - 1
), ring AS (
  INSERT INTO reminders_timer (id, kind, key, generation, bucket, subscriber_id, due_at, wake_at, made_late_at)
  SELECT %(ring_timer_id)s::uuid, 'ring', id, generation, bucket, subscriber_id, due_at, greatest(due_at, now()),
         CASE WHEN due_at < now() THEN now() END FROM moved
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT %(event_id)s::uuid, subscriber_id, id, bucket, version, 'reminder.' || %(what)s::text, %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('message', %(message_id)s::text), %(trace_context)s::text FROM moved
)
SELECT id FROM moved
