-- Proves that replaying a reminder's events by version gives its row. Locks nothing; event_reminder.
SELECT 'reminder', r.id::text, jsonb_build_object('version', r.version, 'row', facts.of_row, 'replayed', e.detail)
  FROM reminders_reminder r
  JOIN reminders_event e ON e.reminder_id = r.id AND e.version = r.version AND e.version IS NOT NULL
  CROSS JOIN LATERAL (SELECT ringback_facts(r.state, r.sequence, r.due_at, r.generation, r.attempts, r.tries, r.ended_at))
    AS facts (of_row)
 WHERE NOT e.detail @> facts.of_row
 ORDER BY r.id LIMIT %(rows_max)s::int
