-- Proves that a message says the same, from the same number, in both books (a body that was redacted at the carrier says
-- nothing). Locks nothing; message_once.
SELECT 'message', c.sid, jsonb_build_object('message', m.id)
  FROM unnest(%(in_sids)s::text[], %(in_numbers)s::text[], %(in_bodies)s::text[]) AS c (sid, number, body)
  JOIN reminders_messagekey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid
  JOIN reminders_message m ON m.id = k.id
  JOIN reminders_subscriber s ON s.id = m.subscriber_id
 WHERE s.number <> c.number OR (c.body <> '' AND m.body <> c.body)
 ORDER BY c.sid LIMIT %(rows_max)s::int
