-- Proves that no reply is left half-way: one that is not known to have arrived has the timer that looks it up.
-- Locks nothing; timer_once serves the anti-join.
SELECT 'reply', p.id::text, jsonb_build_object('state', p.state)
  FROM reminders_reply p
 WHERE p.state NOT IN ('sent', 'undelivered')
   AND NOT EXISTS (SELECT FROM reminders_timer t WHERE t.kind = 'reply' AND t.key = p.id)
 ORDER BY p.id LIMIT %(rows_max)s::int
