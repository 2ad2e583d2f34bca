-- Proves that every SMS that we say the carrier took stands in its books: what was sent long enough before they were
-- read, however old the text that it answers. Locks nothing.
SELECT 'reply', p.id::text, jsonb_build_object('carrier_sid', p.carrier_sid)
  FROM reminders_reply p
 WHERE p.carrier = %(carrier)s::text AND p.carrier_sid IS NOT NULL
   AND p.created_at >= %(out_since)s::timestamptz + make_interval(secs => %(overdue_seconds)s::float8)
   AND greatest(p.created_at, p.handed_over_at) < %(asked_at)s::timestamptz - make_interval(secs => %(horizon_seconds)s::float8 + %(overdue_seconds)s::float8)
   AND p.carrier_sid <> ALL (%(out_sids)s::text[])
 ORDER BY p.id LIMIT %(rows_max)s::int
