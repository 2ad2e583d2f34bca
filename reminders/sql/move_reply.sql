-- One guarded move of a reply, with its timer: moved on by seconds, or gone where seconds is NULL.
-- A row count of 0 means that a status callback or another worker came first. `sent` is 1 where it is handed over, and -1
-- where that was refused before anything left.
-- Locks the reply, then its timer. Served by the primary key and timer_once (why the kind is no constant: settle.sql).
WITH moved AS (
  UPDATE reminders_reply p
     SET state = %(state)s::text,
         carrier_sid = coalesce(p.carrier_sid, %(carrier_sid)s::text),
         carrier = CASE WHEN %(sent)s::int = 1 THEN %(carrier)s::text ELSE p.carrier END,
         handed_over_at = CASE WHEN %(state)s::text = 'handed_over' THEN now() ELSE p.handed_over_at END,
         ended_at = CASE WHEN %(state)s::text IN ('sent', 'undelivered') THEN now() ELSE NULL END,
         error = coalesce(%(error)s::text, p.error),
         sends = p.sends + %(sent)s::int,
         look_ups = p.look_ups + %(looked_up)s::int
   WHERE p.id = %(reply_id)s::uuid AND p.state = ANY (%(was)s::text[])
  RETURNING p.*, 'reply' AS timer_kind
), bound AS (
  INSERT INTO reminders_carrierkey (id, carrier, carrier_sid)
  SELECT id, carrier, %(carrier_sid)s::text FROM moved WHERE %(carrier_sid)s::text IS NOT NULL
  ON CONFLICT DO NOTHING
), later AS (
  UPDATE reminders_timer t SET due_at = now() + make_interval(secs => %(seconds)s::float8),
         wake_at = now() + make_interval(secs => %(seconds)s::float8), token = NULL, claims = 0
    FROM moved WHERE t.kind = moved.timer_kind AND t.key = moved.id AND %(seconds)s::float8 IS NOT NULL
), done AS (
  DELETE FROM reminders_timer t USING moved
   WHERE t.kind = moved.timer_kind AND t.key = moved.id AND %(seconds)s::float8 IS NULL
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, reminder_id, bucket, 'reply.' || state, now(),
         jsonb_build_object('reply', id, 'carrier_sid', carrier_sid, 'error', error), trace_context FROM moved
)
SELECT id FROM moved
