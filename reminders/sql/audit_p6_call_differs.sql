-- Proves that a call went to the same number and ended the same way in both books. Locks nothing; carrier_once.
SELECT 'attempt', a.id::text, jsonb_build_object('carrier_sid', c.sid, 'ours', a.call_status, 'carrier', c.outcome)
  FROM unnest(%(call_sids)s::text[], %(call_numbers)s::text[], %(call_outcomes)s::text[]) AS c (sid, number, outcome)
  JOIN reminders_carrierkey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid
  JOIN reminders_attempt a ON a.id = k.id
  JOIN reminders_subscriber s ON s.id = a.subscriber_id
 WHERE s.number <> c.number
    OR (a.call_status IS NOT NULL AND c.outcome IS NOT NULL AND a.call_status <> c.outcome)
 ORDER BY a.id LIMIT %(rows_max)s::int
