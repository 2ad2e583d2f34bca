-- Proves that we know of each call that is over at the carrier, as soon as our timers should have told. Locks nothing.
SELECT 'attempt', a.id::text, jsonb_build_object('carrier_sid', c.sid, 'state', a.state, 'ended_at', c.ended_at)
  FROM unnest(%(call_sids)s::text[], %(call_ended)s::timestamptz[]) AS c (sid, ended_at)
  JOIN reminders_carrierkey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid
  JOIN reminders_attempt a ON a.id = k.id
 WHERE a.state IN ('intended', 'placed', 'in_call', 'unknown')
   AND c.ended_at < %(asked_at)s::timestamptz - make_interval(secs => %(look_up_seconds_max)s::float8 + %(overdue_seconds)s::float8)
 ORDER BY a.id LIMIT %(rows_max)s::int
