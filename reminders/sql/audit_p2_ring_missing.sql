-- Proves that no scheduled reminder is forgotten: each has the ring timer of its generation. Locks nothing; timer_once.
SELECT 'reminder', r.id::text, jsonb_build_object('generation', r.generation, 'due_at', r.due_at)
  FROM reminders_reminder r
 WHERE r.state = 'scheduled'
   AND NOT EXISTS (SELECT FROM reminders_timer t WHERE t.kind = 'ring' AND t.key = r.id AND t.generation = r.generation)
 ORDER BY r.id LIMIT %(rows_max)s::int
