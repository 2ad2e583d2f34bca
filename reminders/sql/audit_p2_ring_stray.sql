-- Proves that nothing else rings: no ring timer of an ended reminder, of another generation, or of none. A timer that a
-- claim has yet to drop is no break before it is overdue. Locks nothing; reads the ring timers once.
SELECT 'timer', t.id::text, jsonb_build_object('reminder', t.key, 'generation', t.generation, 'state', r.state)
  FROM reminders_timer t LEFT JOIN reminders_reminder r ON r.id = t.key
 WHERE t.kind = 'ring'
   AND (r.id IS NULL OR r.state <> 'scheduled' OR r.generation <> t.generation)
   AND (r.ended_at IS NULL OR r.ended_at < now() - make_interval(secs => %(overdue_seconds)s::float8))
 ORDER BY t.id LIMIT %(rows_max)s::int
