-- Proves that replaying a reminder's events by version gives its row. Locks nothing; both tables are read once and
-- hashed. Each fact is compared as it is typed, which costs less than making the row's facts (`ringback_facts`) anew.
SELECT 'reminder', r.id::text,
       jsonb_build_object('version', r.version, 'replayed', e.detail, 'row',
         ringback_facts(r.state, r.sequence, r.due_at, r.generation, r.attempts, r.tries, r.ended_at))
  FROM reminders_reminder r
  JOIN reminders_event e ON e.reminder_id = r.id AND e.version = r.version AND e.version IS NOT NULL
 CROSS JOIN LATERAL jsonb_to_record(e.detail)
    AS told (state text, sequence int, due_at numeric, generation int, attempts int, tries int, ended_at numeric)
 WHERE (told.state, told.sequence, told.generation, told.attempts, told.tries)
       IS DISTINCT FROM (r.state, r.sequence, r.generation, r.attempts, r.tries)
    OR told.due_at IS DISTINCT FROM extract(epoch FROM r.due_at)
    OR told.ended_at IS DISTINCT FROM extract(epoch FROM r.ended_at)
 ORDER BY r.id LIMIT %(rows_max)s::int
