-- Proves that what rings is being rung: a ringing reminder has an open attempt of its present occurrence.
-- Locks nothing; attempt_reminder serves it.
SELECT 'reminder', r.id::text, jsonb_build_object('sequence', r.sequence, 'attempts', r.attempts)
  FROM reminders_reminder r
 WHERE r.state = 'ringing'
   AND NOT EXISTS (SELECT FROM reminders_attempt a
                    WHERE a.reminder_id = r.id AND a.sequence = r.sequence
                      AND a.state IN ('intended', 'placed', 'in_call', 'unknown'))
 ORDER BY r.id LIMIT %(rows_max)s::int
