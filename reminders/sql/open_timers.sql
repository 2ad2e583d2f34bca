-- A worker takes up a claim of any kind but rings, with the trace of what each is about. As open_claim.sql.
-- Locks the claimed timers. Served by the primary keys.
WITH opened AS (
  UPDATE reminders_timer SET claims = claims + 1
   WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid AND wake_at > now()
  RETURNING id, kind, key, claims
)
SELECT o.id, o.kind, o.key, o.claims, coalesce(a.trace_context, p.trace_context, '') AS trace_context,
       coalesce(a.reminder_id, p.reminder_id) AS reminder_id
  FROM opened o
  LEFT JOIN reminders_attempt a ON o.kind IN ('look_up', 'hang_up') AND a.id = o.key
  LEFT JOIN reminders_reply p ON o.kind = 'reply' AND p.id = o.key
