-- Proves that no input got in beyond its bound (`limits.py`). Locks nothing; reads the three tables once.
SELECT kind, id::text, jsonb_build_object('is', measure, 'limit', bound)
  FROM (SELECT 'message' AS kind, id, length(body) AS measure, %(text_characters_max)s::int AS bound FROM reminders_message
        UNION ALL
        SELECT 'reminder', id, length(subject), %(subject_characters_max)s::int FROM reminders_reminder
        UNION ALL
        SELECT 'attempt', id, number, %(attempts_max)s::int FROM reminders_attempt) AS found
 WHERE measure > bound
 ORDER BY kind, id LIMIT %(rows_max)s::int
