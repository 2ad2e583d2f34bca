-- Proves that a repeat of every message would be known: each has its permanent key. Locks nothing.
SELECT 'message', m.id::text, jsonb_build_object('carrier_sid', m.carrier_sid)
  FROM reminders_message m
 WHERE NOT EXISTS (SELECT FROM reminders_messagekey k
                    WHERE k.id = m.id AND k.carrier = m.carrier AND k.carrier_sid = m.carrier_sid)
 ORDER BY m.id LIMIT %(rows_max)s::int
