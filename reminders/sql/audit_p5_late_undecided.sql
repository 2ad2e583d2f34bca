-- Proves that late or not was decided when the words were asked for. Locks nothing; attempt_occurrence.
SELECT 'occurrence', o.id::text, jsonb_build_object('lateness_ms', o.lateness_ms)
  FROM reminders_occurrence o
 WHERE o.late IS NULL
   AND EXISTS (SELECT FROM reminders_attempt a WHERE a.occurrence_id = o.id AND a.words_at IS NOT NULL)
 ORDER BY o.id LIMIT %(rows_max)s::int
