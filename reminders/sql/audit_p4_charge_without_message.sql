-- Proves that an SMS charge is for a message that was accepted, and names its id at the carrier. Locks nothing.
SELECT 'transaction', c.id::text, jsonb_build_object('message', c.key, 'sid', c.evidence ->> 'sid')
  FROM billing_ledgertransaction c
  LEFT JOIN reminders_messagekey k ON k.id = c.key
 WHERE c.kind = 'sms' AND k.carrier_sid IS DISTINCT FROM c.evidence ->> 'sid'
 ORDER BY c.id LIMIT %(rows_max)s::int
