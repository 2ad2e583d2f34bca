-- Calls that are over at the carrier and whose end, or whose answer, is not known here. Locks nothing; carrier_once and
-- the primary key serve it.
SELECT a.id, c.sid
  FROM unnest(%(sids)s::text[], %(answered)s::bool[]) AS c (sid, answered)
  JOIN reminders_carrierkey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid
  JOIN reminders_attempt a ON a.id = k.id
 WHERE a.call_status IS NULL
    OR (c.answered AND a.answered_at IS NULL AND coalesce(a.duration_seconds, 0) = 0 AND a.pressed = '')
 ORDER BY a.id LIMIT %(rows_max)s::int
