-- Proves that a look-up is as near as a stage would set it. Locks nothing; reads the look-up timers.
SELECT 'attempt', t.key::text, jsonb_build_object('due_at', t.due_at)
  FROM reminders_timer t
 WHERE t.kind = 'look_up'
   AND t.due_at > now() + make_interval(secs => %(look_up_seconds_max)s::float8 + %(overdue_seconds)s::float8)
 ORDER BY t.key LIMIT %(rows_max)s::int
