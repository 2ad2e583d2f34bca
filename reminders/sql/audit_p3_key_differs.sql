-- Proves that a call or an SMS of the carrier is bound to one thing of ours, once: attempts and replies against the
-- permanent keys, both ways. Locks nothing; reads the three tables once.
SELECT bound.kind, coalesce(bound.id, k.id)::text,
       jsonb_build_object('carrier_sid', bound.carrier_sid, 'key', k.carrier_sid)
  FROM (SELECT 'attempt' AS kind, id, carrier_sid FROM reminders_attempt
        UNION ALL SELECT 'reply', id, carrier_sid FROM reminders_reply) AS bound
  LEFT JOIN reminders_carrierkey k ON k.id = bound.id
 WHERE bound.carrier_sid IS DISTINCT FROM k.carrier_sid
UNION ALL
SELECT 'key', k.id::text, jsonb_build_object('key', k.carrier_sid)
  FROM reminders_carrierkey k
 WHERE NOT EXISTS (SELECT FROM reminders_attempt a WHERE a.id = k.id)
   AND NOT EXISTS (SELECT FROM reminders_reply p WHERE p.id = k.id)
 ORDER BY 2 LIMIT %(rows_max)s::int
