-- Proves that no attempt stays open longer than its timers allow; one whose outcome is unknown waits for the carrier.
-- Locks nothing; reads the open attempts.
SELECT 'attempt', a.id::text, jsonb_build_object('state', a.state, 'intended_at', a.intended_at)
  FROM reminders_attempt a
 WHERE a.state IN ('intended', 'placed', 'in_call')
   AND a.intended_at < now() - make_interval(secs => %(open_seconds_max)s::float8 + %(overdue_seconds)s::float8)
 ORDER BY a.id LIMIT %(rows_max)s::int
