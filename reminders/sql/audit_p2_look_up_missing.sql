-- Proves that every open attempt will be looked up. Locks nothing; reads the open attempts.
SELECT 'attempt', a.id::text, jsonb_build_object('state', a.state, 'reminder', a.reminder_id)
  FROM reminders_attempt a
 WHERE a.state IN ('intended', 'placed', 'in_call', 'unknown')
   AND NOT EXISTS (SELECT FROM reminders_timer t WHERE t.kind = 'look_up' AND t.key = a.id)
 ORDER BY a.id LIMIT %(rows_max)s::int
