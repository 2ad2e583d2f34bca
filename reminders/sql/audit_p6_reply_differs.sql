-- Proves that a reply says the same, to the same number, in both books, and that one that we call sent did not fail
-- there. Locks nothing; carrier_once.
SELECT 'reply', p.id::text, jsonb_build_object('carrier_sid', c.sid, 'ours', p.state, 'carrier', c.state)
  FROM unnest(%(out_sids)s::text[], %(out_numbers)s::text[], %(out_bodies)s::text[], %(out_states)s::text[])
    AS c (sid, number, body, state)
  JOIN reminders_carrierkey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid
  JOIN reminders_reply p ON p.id = k.id
  JOIN reminders_subscriber s ON s.id = p.subscriber_id
 WHERE s.number <> c.number OR (c.body <> '' AND p.body <> c.body)
    OR (p.state IN ('sent', 'undelivered') AND c.state IN ('sent', 'undelivered') AND p.state <> c.state
        AND p.ended_at < %(asked_at)s::timestamptz - make_interval(secs => %(overdue_seconds)s::float8))
 ORDER BY p.id LIMIT %(rows_max)s::int
