-- What the carrier said to a batch of requests: placed (with its id) or unknown. A callback may have been faster: only
-- an intended attempt moves, and an id is bound once. The attempt's timer moves on to when the call should be over.
-- Locks the attempts, then their timers. Served by the primary key and timer_once: wherever a timer is found by its key,
-- its kind comes from a row and is no constant. Where none of that kind was there when the table was last counted, Postgres
-- takes a constant for next to nothing, and reads every timer of the kind for each row of the batch.
WITH told AS (
  SELECT * FROM unnest(%(attempt_ids)s::uuid[], %(carrier_sids)s::text[], %(states)s::text[], %(reasons)s::text[])
             AS t (attempt_id, carrier_sid, state, reason)
), bound AS (
  INSERT INTO reminders_carrierkey (id, carrier, carrier_sid)
  SELECT attempt_id, %(carrier)s::text, carrier_sid FROM told WHERE carrier_sid IS NOT NULL
  ON CONFLICT DO NOTHING
), moved AS (
  UPDATE reminders_attempt a
     SET state = CASE WHEN a.state IN ('intended', 'unknown') THEN told.state ELSE a.state END,
         carrier_sid = coalesce(a.carrier_sid, told.carrier_sid),
         placed_at = CASE WHEN told.state = 'placed' THEN coalesce(a.placed_at, now()) ELSE a.placed_at END,
         reason = coalesce(told.reason, a.reason)
    FROM told
   WHERE a.id = told.attempt_id AND (a.state = 'intended' OR (a.state = 'unknown' AND told.state = 'placed')
         OR (a.carrier_sid IS NULL AND told.carrier_sid IS NOT NULL))
  RETURNING a.id, a.reminder_id, a.subscriber_id, a.bucket, a.state, a.trace_context, a.carrier_sid, 'look_up' AS timer_kind
), timers AS (
  UPDATE reminders_timer t
     SET due_at = later.at, wake_at = later.at, token = NULL, claims = 0
    FROM moved, LATERAL (SELECT now() + make_interval(secs => CASE moved.state WHEN 'unknown'
                           THEN %(unknown_seconds)s::float8 ELSE %(placed_seconds)s::float8 END)) AS later (at)
   WHERE t.kind = moved.timer_kind AND t.key = moved.id AND t.generation = 1
)
INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, what, occurred_at, detail, trace_context)
SELECT ringback_uuid7(), subscriber_id, reminder_id, id, bucket, 'attempt.' || state, now(),
       jsonb_build_object('carrier_sid', carrier_sid), trace_context
  FROM moved
