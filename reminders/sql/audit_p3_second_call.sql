-- Proves, by the carrier's own list, that no attempt was dialled twice: a call that is bound to nothing of ours, to a
-- person whom we were ringing then. One that an open attempt without an id may yet be bound to is no break.
-- Locks nothing; carrier_once serves the anti-join.
WITH unbound AS (
  SELECT c.sid, c.number, c.created_at, count(*) OVER (PARTITION BY c.number) AS calls
    FROM unnest(%(call_sids)s::text[], %(call_numbers)s::text[], %(call_created)s::timestamptz[])
      AS c (sid, number, created_at)
   WHERE c.created_at < %(asked_at)s::timestamptz - make_interval(secs => %(overdue_seconds)s::float8)
     AND NOT EXISTS (SELECT FROM reminders_carrierkey k WHERE k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid)
), rung AS (
  SELECT u.sid, u.created_at, u.calls, a.id, a.state, a.carrier_sid
    FROM unbound u
    JOIN reminders_subscriber s ON s.number = u.number
    JOIN reminders_reminder r ON r.subscriber_id = s.id
    JOIN reminders_attempt a ON a.reminder_id = r.id
   WHERE u.created_at >= a.intended_at - interval '2 seconds'
     AND u.created_at <= coalesce(a.ended_at, now()) + make_interval(secs => %(horizon_seconds)s::float8)
)
SELECT 'call', sid, jsonb_build_object('attempt', max(id::text), 'created_at', min(created_at))
  FROM rung
 GROUP BY sid
HAVING NOT bool_or(carrier_sid IS NULL AND state IN ('intended', 'unknown') AND calls = 1)
 ORDER BY sid LIMIT %(rows_max)s::int
