-- Proves that a reminder's present occurrence is there, and is over exactly where the reminder is. Locks nothing;
-- occurrence_once serves it.
SELECT 'reminder', r.id::text, jsonb_build_object('state', r.state, 'sequence', r.sequence, 'outcome', o.outcome)
  FROM reminders_reminder r
  LEFT JOIN reminders_occurrence o ON o.reminder_id = r.id AND o.sequence = r.sequence
 WHERE o.id IS NULL OR (r.state IN ('scheduled', 'ringing')) <> (o.outcome IS NULL)
 ORDER BY r.id LIMIT %(rows_max)s::int
