-- The intent of a batch: spends each claim's token, takes the attempt's number, opens the person's one call.
-- Re-checks the person under a share lock, so that after a STOP has committed nothing is intended.
-- Lock order: persons, reminders, timers, each by key. Served by the primary keys.
WITH wanted AS (
  SELECT * FROM unnest(%(timer_ids)s::uuid[], %(subscriber_ids)s::uuid[], %(attempt_ids)s::uuid[],
                       %(occurrence_ids)s::uuid[], %(traces)s::text[])
             AS w (timer_id, subscriber_id, attempt_id, occurrence_id, trace_context)
), person AS (
  SELECT id FROM reminders_subscriber
   WHERE id = ANY (%(subscriber_ids)s::uuid[])
     AND (stopped_at IS NULL OR started_at > stopped_at)
   ORDER BY id FOR SHARE
), ready AS (
  SELECT r.id, r.subscriber_id, r.bucket, r.sequence, t.id AS timer_id, t.due_at, t.wait_cause, w.attempt_id,
         w.occurrence_id, w.trace_context
    FROM wanted w
    JOIN person p ON p.id = w.subscriber_id
    JOIN reminders_timer t ON t.id = w.timer_id
    JOIN reminders_reminder r ON r.id = t.key
   WHERE t.token = %(token)s::uuid AND (t.leased_until > now() OR t.wake_at > now())
     AND r.state = 'scheduled' AND r.generation = t.generation
   ORDER BY r.id FOR UPDATE OF r, t
), opened AS (
  INSERT INTO reminders_opencall (subscriber_id, attempt_id, opened_at)
  SELECT DISTINCT ON (subscriber_id) subscriber_id, attempt_id, now() FROM ready
   ORDER BY subscriber_id, due_at, id
  ON CONFLICT (subscriber_id) DO NOTHING
  RETURNING attempt_id
), moved AS (
  UPDATE reminders_reminder r
     SET state = 'ringing', version = r.version + 1, attempts = r.attempts + 1
    FROM ready JOIN opened ON opened.attempt_id = ready.attempt_id
   WHERE r.id = ready.id
  RETURNING r.*, ready.timer_id, ready.attempt_id, ready.occurrence_id, ready.trace_context AS trace,
            ready.wait_cause
), attempt AS (
  INSERT INTO reminders_attempt (id, reminder_id, occurrence_id, subscriber_id, bucket, sequence, number, state,
                                 intended_at, carrier, wait_cause, looker, looked_ms, trace_context)
  SELECT attempt_id, id, occurrence_id, subscriber_id, bucket, sequence, attempts, 'intended', now(),
         %(carrier)s::text, wait_cause, %(looker)s::text, %(monotonic_ms)s::bigint, trace FROM moved
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, version, what, occurred_at,
                               detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, attempt_id, bucket, version, 'reminder.ringing', now(),
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('worker', %(worker)s::text), trace FROM moved
), look_up AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'look_up', attempt_id, bucket, subscriber_id, later.at, later.at
    FROM moved, (SELECT now() + make_interval(secs => %(look_up_seconds)s::float8)) AS later (at)
), spent AS (
  DELETE FROM reminders_timer t USING moved WHERE t.id = moved.timer_id
), parked AS (
  UPDATE reminders_timer t
     SET parked = true, token = NULL, claims = 0, wait_cause = 'other_call',
         wake_at = now() + make_interval(secs => %(park_seconds)s::float8)
    FROM ready WHERE t.id = ready.timer_id AND ready.attempt_id NOT IN (SELECT attempt_id FROM opened)
  RETURNING t.id
)
SELECT timer_id, 'intended' AS fate FROM moved
UNION ALL SELECT id, 'parked' FROM parked
