-- Cancels open reminders of one person (all of them, or one number): DELETE, STOP, key 9.
-- A reminder that rings is cancelled at once; its call is hung up by a timer of its own. Locks the reminders in key
-- order, then their timers. Served by reminder_open and timer_once (why the kind is no constant: settle.sql).
WITH open AS (
  SELECT id, state FROM reminders_reminder
   WHERE subscriber_id = %(subscriber_id)s::uuid AND state IN ('scheduled', 'ringing')
     AND (%(number)s::int IS NULL OR number = %(number)s::int)
     AND (%(made_before)s::timestamptz IS NULL OR created_at <= %(made_before)s::timestamptz)
   ORDER BY id FOR UPDATE
), moved AS (
  UPDATE reminders_reminder r
     SET state = 'cancelled', version = r.version + 1, ended_at = %(at)s::timestamptz
    FROM open WHERE r.id = open.id
  RETURNING r.*, open.state AS was, 'ring' AS timer_kind
), ended AS (
  UPDATE reminders_occurrence o SET outcome = 'cancelled', ended_at = %(at)s::timestamptz
    FROM moved WHERE o.reminder_id = moved.id AND o.sequence = moved.sequence AND o.outcome IS NULL
), rings AS (
  DELETE FROM reminders_timer t USING moved
   WHERE t.kind = moved.timer_kind AND t.key = moved.id AND t.generation = moved.generation
), hang_ups AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'hang_up', c.attempt_id, moved.bucket, moved.subscriber_id, now(), now()
    FROM moved JOIN reminders_opencall c ON c.subscriber_id = moved.subscriber_id
    JOIN reminders_attempt a ON a.id = c.attempt_id AND a.reminder_id = moved.id
   WHERE moved.was = 'ringing'
  ON CONFLICT (kind, key, generation) DO NOTHING
), events AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, bucket, version, 'reminder.cancelled', %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('cause', %(cause)s::text), %(trace_context)s::text
    FROM moved
)
SELECT id, number, subject, was FROM moved ORDER BY number
