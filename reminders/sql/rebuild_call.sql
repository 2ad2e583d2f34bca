-- After a restore: the attempt behind a call that the carrier lists and this database lost. It belongs to what dispatch
-- would have rung then: of the person's reminders that were due, the oldest. The carrier's id is bound once, so that to
-- rebuild a call again changes nothing. No row: nothing was due, another call is open, or the call is bound already.
-- Locks the person (share), the reminder, then its timer. Served by reminder_open, timer_once and carrier_once.
WITH person AS (
  SELECT id, account_id, bucket FROM reminders_subscriber WHERE number = %(number)s::text FOR SHARE
), ready AS (
  SELECT r.id, t.id AS timer_id, t.due_at, t.wait_cause, o.id AS occurrence_id, p.account_id
    FROM person p
    JOIN reminders_reminder r ON r.subscriber_id = p.id AND r.state = 'scheduled'
    JOIN reminders_timer t ON t.kind = 'ring' AND t.key = r.id AND t.generation = r.generation
    JOIN reminders_occurrence o ON o.reminder_id = r.id AND o.sequence = r.sequence
   WHERE t.due_at <= %(created_at)s::timestamptz + make_interval(secs => %(slack_seconds)s::float8)
     AND NOT EXISTS (SELECT FROM reminders_carrierkey k
                      WHERE k.carrier = %(carrier)s::text AND k.carrier_sid = %(carrier_sid)s::text)
     AND NOT EXISTS (SELECT FROM reminders_opencall c WHERE c.subscriber_id = p.id)
   ORDER BY t.due_at, r.id LIMIT 1
   FOR UPDATE OF r, t
), opened AS (
  INSERT INTO reminders_opencall (subscriber_id, attempt_id, opened_at)
  SELECT person.id, %(attempt_id)s::uuid, %(created_at)s::timestamptz FROM person, ready
  ON CONFLICT (subscriber_id) DO NOTHING
  RETURNING attempt_id
), moved AS (
  UPDATE reminders_reminder r
     SET state = 'ringing', version = r.version + 1, attempts = r.attempts + 1
    FROM ready, opened WHERE r.id = ready.id
  RETURNING r.*, ready.timer_id, ready.occurrence_id, ready.wait_cause, ready.account_id,
            -- The carrier's dates are whole seconds: never before it was due.
            greatest(ready.due_at, %(created_at)s::timestamptz) AS at
), attempt AS (
  INSERT INTO reminders_attempt (id, reminder_id, occurrence_id, subscriber_id, bucket, sequence, number, state,
                                 intended_at, placed_at, carrier, carrier_sid, wait_cause, trace_context)
  SELECT %(attempt_id)s::uuid, id, occurrence_id, subscriber_id, bucket, sequence, attempts, 'placed', at, at,
         %(carrier)s::text, %(carrier_sid)s::text, wait_cause, %(trace_context)s::text FROM moved
), bound AS (
  INSERT INTO reminders_carrierkey (id, carrier, carrier_sid)
  SELECT %(attempt_id)s::uuid, %(carrier)s::text, %(carrier_sid)s::text FROM moved
), events AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, version, what, occurred_at, detail,
                               trace_context)
  SELECT ringback_uuid7(), subscriber_id, id, %(attempt_id)s::uuid, bucket, version, 'reminder.ringing', at,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('rebuilt', true), %(trace_context)s::text FROM moved
  UNION ALL
  SELECT ringback_uuid7(), subscriber_id, id, %(attempt_id)s::uuid, bucket, NULL, 'attempt.placed', at,
         jsonb_build_object('carrier_sid', %(carrier_sid)s::text, 'rebuilt', true), %(trace_context)s::text FROM moved
), look_up AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
  SELECT ringback_uuid7(), 'look_up', %(attempt_id)s::uuid, bucket, subscriber_id, now(), now() FROM moved
), spent AS (
  DELETE FROM reminders_timer t USING moved WHERE t.id = moved.timer_id
)
SELECT occurrence_id, account_id, bucket, at FROM moved
