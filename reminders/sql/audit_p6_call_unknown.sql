-- Proves that the carrier rings nobody for us without an attempt of ours: a call that is bound to nothing, to a person
-- whom we were not ringing then (else it is P3's second call). Locks nothing; carrier_once.
SELECT 'call', c.sid, jsonb_build_object('created_at', c.created_at)
  FROM unnest(%(call_sids)s::text[], %(call_numbers)s::text[], %(call_created)s::timestamptz[])
    AS c (sid, number, created_at)
 WHERE c.created_at < %(asked_at)s::timestamptz - make_interval(secs => %(overdue_seconds)s::float8)
   AND NOT EXISTS (SELECT FROM reminders_carrierkey k WHERE k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid)
   AND NOT EXISTS (
     SELECT FROM reminders_subscriber s
       JOIN reminders_reminder r ON r.subscriber_id = s.id
       JOIN reminders_attempt a ON a.reminder_id = r.id
      WHERE s.number = c.number AND c.created_at >= a.intended_at - interval '2 seconds'
        AND c.created_at <= coalesce(a.ended_at, now()) + make_interval(secs => %(horizon_seconds)s::float8))
 ORDER BY c.sid LIMIT %(rows_max)s::int
