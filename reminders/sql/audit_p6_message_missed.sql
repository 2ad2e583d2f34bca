-- Proves that every SMS that the carrier took for us came in, by webhook or fetched later. Locks nothing; message_once.
SELECT 'message', c.sid, jsonb_build_object('created_at', c.created_at)
  FROM unnest(%(in_sids)s::text[], %(in_created)s::timestamptz[]) AS c (sid, created_at)
 WHERE c.created_at < %(asked_at)s::timestamptz - make_interval(secs => %(fetched_seconds)s::float8 + %(overdue_seconds)s::float8)
   AND NOT EXISTS (SELECT FROM reminders_messagekey k WHERE k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid)
 ORDER BY c.sid LIMIT %(rows_max)s::int
