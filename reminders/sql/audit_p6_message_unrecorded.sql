-- Proves that every message of ours stands in the carrier's books, as far back as they were read. Locks nothing.
SELECT 'message', k.carrier_sid, jsonb_build_object('message', k.id, 'received_at', k.received_at)
  FROM reminders_messagekey k
 WHERE k.carrier = %(carrier)s::text
   AND k.received_at >= %(in_since)s::timestamptz + make_interval(secs => %(overdue_seconds)s::float8)
   AND k.received_at < %(asked_at)s::timestamptz - make_interval(secs => %(horizon_seconds)s::float8 + %(overdue_seconds)s::float8)
   AND k.carrier_sid <> ALL (%(in_sids)s::text[])
 ORDER BY k.carrier_sid LIMIT %(rows_max)s::int
