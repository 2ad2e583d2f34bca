-- Proves that every call that we say the carrier took stands in its books. Locks nothing; reads the attempts since.
SELECT 'attempt', a.id::text, jsonb_build_object('carrier_sid', a.carrier_sid)
  FROM reminders_attempt a
 WHERE a.carrier = %(carrier)s::text AND a.carrier_sid IS NOT NULL
   AND a.intended_at >= %(calls_since)s::timestamptz + make_interval(secs => %(overdue_seconds)s::float8)
   AND a.intended_at < %(asked_at)s::timestamptz - make_interval(secs => %(horizon_seconds)s::float8 + %(overdue_seconds)s::float8)
   AND a.carrier_sid <> ALL (%(call_sids)s::text[])
 ORDER BY a.id LIMIT %(rows_max)s::int
