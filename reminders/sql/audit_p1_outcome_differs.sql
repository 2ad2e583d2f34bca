-- Proves that a message has exactly one outcome: its key says the same. Locks nothing.
SELECT 'message', m.id::text, jsonb_build_object('message', m.outcome, 'key', k.outcome)
  FROM reminders_message m JOIN reminders_messagekey k ON k.id = m.id
 WHERE m.outcome <> k.outcome
 ORDER BY m.id LIMIT %(rows_max)s::int
