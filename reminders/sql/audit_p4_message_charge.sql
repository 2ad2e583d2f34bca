-- Proves that each accepted SMS was charged once, and a free one (STOP, a refused number, a text of a person who said
-- STOP) never. Two books are read across the border on purpose, in one snapshot. Locks nothing.
SELECT 'message', m.id::text, jsonb_build_object('understood', m.kind, 'charged', c.id IS NOT NULL)
  FROM reminders_message m
  LEFT JOIN billing_ledgertransaction c ON c.kind = 'sms' AND c.key = m.id
 WHERE (m.kind = ANY (%(free_kinds)s::text[])) = (c.id IS NOT NULL)
 ORDER BY m.id LIMIT %(rows_max)s::int
