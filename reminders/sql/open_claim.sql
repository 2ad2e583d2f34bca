-- A worker takes up a claim: loads what it needs and marks each row as opened once more, so that a row that kills
-- its worker is known by its count. A strike where the worker is well (reminders/poison.py): it got others through that
-- were taken up since this row first failed (at its lease's end, or before, ring_failed.sql). Or, where nobody else
-- was due for so long, others before it: once for each time that others got through.
-- Only while the lease holds (in wake_at: one that the version before wrote). Locks the claimed timers.
-- Served by the primary keys and reminder_dead.
WITH opened AS (
  UPDATE reminders_timer
     SET claims = least(claims + 1, 1000),
         failing_since = CASE WHEN claims = 0 THEN greatest(leased_until, wake_at) ELSE failing_since END,
         strikes = CASE WHEN claims = 0 THEN 0
                        WHEN coalesce(id = %(suspect)s::uuid, true)
                         AND (failing_since < %(well_at)s::timestamptz
                              OR failing_since < now() - make_interval(secs => %(alone_seconds)s::float8)
                             AND %(well_at)s::timestamptz > now() - make_interval(secs => %(well_seconds)s::float8)
                             AND NOT EXISTS (SELECT FROM reminders_reminder
                                              WHERE state = 'dead' AND ended_at > %(well_at)s::timestamptz))
                        THEN least(strikes + 1, 1000) ELSE strikes END
   WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid AND (leased_until > now() OR wake_at > now())
  RETURNING id, key, generation, due_at
)
SELECT o.id AS timer_id, o.due_at, r.id AS reminder_id, r.subscriber_id, r.trace_context, s.number, s.account_id, r.bucket,
       c.id AS occurrence_id, c.due_at AS named_at, now() AS opened_at,
       r.state = 'scheduled' AND r.generation = o.generation AND c.id IS NOT NULL AS present
  FROM opened o
  LEFT JOIN reminders_reminder r ON r.id = o.key
  LEFT JOIN reminders_subscriber s ON s.id = r.subscriber_id
  LEFT JOIN reminders_occurrence c ON c.reminder_id = r.id AND c.sequence = r.sequence
