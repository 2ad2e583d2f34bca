-- Folds one piece of evidence about a call into its attempt: each column only moves forward, so that evidence may come
-- in any order, twice, late or never. A row count of 0: no such attempt, or another call is bound to it.
-- Locks the attempt's row, then the occurrence's where lateness is still to be stored. Served by primary keys and timer_once
-- (why the kind is no constant: settle.sql).
WITH before AS (
  SELECT id, state, pressed, call_status FROM reminders_attempt
   WHERE id = %(attempt_id)s::uuid
     AND (carrier_sid IS NULL OR %(carrier_sid)s::text IS NULL OR carrier_sid = %(carrier_sid)s::text)
   FOR UPDATE
), folded AS (
  UPDATE reminders_attempt a
     SET carrier_sid = coalesce(a.carrier_sid, %(carrier_sid)s::text),
         placed_at = coalesce(a.placed_at, now()),
         ringing_at = least(a.ringing_at, %(ringing_at)s::timestamptz),
         answered_at = least(a.answered_at, %(answered_at)s::timestamptz),
         call_ended_at = least(a.call_ended_at, %(call_ended_at)s::timestamptz),
         call_status = coalesce(a.call_status, %(call_status)s::text),
         words_at = coalesce(a.words_at, %(words_at)s::timestamptz),
         answered_by = coalesce(nullif(%(answered_by)s::text, 'unknown'), a.answered_by, %(answered_by)s::text),
         duration_seconds = greatest(a.duration_seconds, %(duration_seconds)s::int),
         pressed = a.pressed || CASE WHEN strpos(a.pressed, %(pressed)s::text) = 0 THEN %(pressed)s::text ELSE '' END,
         pressed_at = CASE WHEN %(pressed)s::text <> '' THEN coalesce(a.pressed_at, now()) ELSE a.pressed_at END,
         state = CASE
           WHEN a.state IN ('intended', 'placed', 'unknown') AND (%(answered_at)s::timestamptz IS NOT NULL) THEN 'in_call'
           WHEN a.state IN ('intended', 'unknown') THEN 'placed'
           ELSE a.state END
    FROM before WHERE a.id = before.id
  RETURNING a.*, 'look_up' AS timer_kind
), bound AS (
  INSERT INTO reminders_carrierkey (id, carrier, carrier_sid)
  SELECT id, carrier, %(carrier_sid)s::text FROM folded WHERE %(carrier_sid)s::text IS NOT NULL
  ON CONFLICT DO NOTHING
), timer AS (
  UPDATE reminders_timer t SET due_at = later.at, wake_at = later.at, token = NULL, claims = 0
    FROM folded, before, LATERAL (SELECT now() + make_interval(secs => CASE folded.state WHEN 'in_call'
           THEN %(in_call_seconds)s::float8 ELSE %(placed_seconds)s::float8 END)) AS later (at)
   WHERE t.kind = folded.timer_kind AND t.key = folded.id AND t.generation = 1
     AND folded.state <> before.state AND folded.state IN ('placed', 'in_call')
), rang AS (
  -- Told after the end: what the conclusion could not store, stored once.
  UPDATE reminders_occurrence o
     SET rang_at = coalesce(o.rang_at, f.ringing_at),
         lateness_ms = greatest(0, extract(epoch FROM coalesce(o.rang_at, f.ringing_at) - o.due_at) * 1000)::bigint,
         late_cause = coalesce(o.late_cause, f.wait_cause)
    FROM folded f WHERE o.id = f.occurrence_id AND f.state = 'ended' AND f.ringing_at IS NOT NULL AND o.lateness_ms IS NULL
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), f.subscriber_id, f.reminder_id, f.id, f.bucket, 'attempt.' || f.state, %(at)s::timestamptz,
         jsonb_build_object('carrier_sid', f.carrier_sid), f.trace_context
    FROM folded f, before b WHERE f.state <> b.state
)
SELECT f.id, f.state, f.call_status, f.pressed <> b.pressed AS newly_pressed,
       strpos(f.pressed, '9') > 0 AS never_again, f.reminder_id
  FROM folded f, before b
