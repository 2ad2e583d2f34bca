-- A reply with its person, to send it or to look it up. Locks nothing. Served by the primary keys.
SELECT p.id, p.state, p.body, p.carrier_sid, p.created_at, p.handed_over_at, p.sends, p.look_ups, p.kind, p.trace_context,
       extract(epoch FROM now() - p.created_at)::float8 AS age_seconds,
       s.number, s.stopped_at IS NOT NULL AND (s.started_at IS NULL OR s.started_at <= s.stopped_at) AS stopped
  FROM reminders_reply p JOIN reminders_subscriber s ON s.id = p.subscriber_id
 WHERE p.id = %(reply_id)s::uuid
