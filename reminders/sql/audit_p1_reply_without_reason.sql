-- Proves that a reply that did not arrive says why not. Locks nothing.
SELECT 'reply', p.id::text, jsonb_build_object('kind', p.kind)
  FROM reminders_reply p
 WHERE p.state = 'undelivered' AND coalesce(p.error, '') = ''
 ORDER BY p.id LIMIT %(rows_max)s::int
