-- A worker takes up a claim of any kind but rings, with the trace of what each is about, and how long it is ours. As open_claim.sql; but most
-- attempts are concluded by their callbacks, so that a strike needs one that began and ended since this row first failed.
-- Locks the claimed timers. Served by the primary keys (of the attempts, whose ids begin with their time).
WITH opened AS (
  UPDATE reminders_timer
     SET claims = least(claims + 1, 1000),
         failing_since = CASE WHEN claims = 0 THEN greatest(leased_until, wake_at) ELSE failing_since END,
         strikes = CASE WHEN claims = 0 THEN 0
                        WHEN %(may_witness)s::boolean AND coalesce(id = %(suspect)s::uuid, true)
                         AND EXISTS (SELECT FROM (SELECT a.state, a.ended_at FROM reminders_attempt a
                                                   WHERE a.id >= ringback_uuid7_at(failing_since)
                                                   ORDER BY a.id LIMIT 1000) AS begun
                                      WHERE begun.state = 'ended' AND begun.ended_at > failing_since)
                        THEN least(strikes + 1, 1000) ELSE strikes END
   WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid AND (leased_until > now() OR wake_at > now())
  RETURNING id, kind, key, claims, strikes, extract(epoch FROM greatest(leased_until, wake_at) - now())::float8 AS left_seconds
)
SELECT o.id, o.kind, o.key, o.claims, o.strikes, coalesce(a.trace_context, p.trace_context, '') AS trace_context,
       coalesce(a.reminder_id, p.reminder_id) AS reminder_id, o.left_seconds
  FROM opened o
  LEFT JOIN reminders_attempt a ON o.kind IN ('look_up', 'hang_up') AND a.id = o.key
  LEFT JOIN reminders_reply p ON o.kind = 'reply' AND p.id = o.key
