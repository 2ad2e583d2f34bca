-- Proves that nobody is kept who is no number: E.164 only. Locks nothing.
SELECT 'subscriber', id::text, jsonb_build_object('characters', length(number))
  FROM reminders_subscriber WHERE number !~ '^\+[1-9][0-9]{6,14}$'
 ORDER BY id LIMIT %(rows_max)s::int
