-- Proves that an attempt begins after the one before it has ended. Locks nothing; attempt_reminder serves the order.
-- Two seconds are allowed between the clocks of two hosts. By id, since a replay counts the attempts of an occurrence anew.
SELECT 'attempt', later.id::text, jsonb_build_object('occurrence', later.occurrence_id, 'before', later.before_id)
  FROM (
    SELECT id, occurrence_id, intended_at,
           lag(id) OVER w AS before_id, lag(state) OVER w AS before_state, lag(ended_at) OVER w AS before_ended_at
      FROM reminders_attempt WINDOW w AS (PARTITION BY occurrence_id ORDER BY id)
  ) AS later
 WHERE later.before_id IS NOT NULL
   AND (later.before_ended_at IS NULL OR later.intended_at < later.before_ended_at - interval '2 seconds')
 ORDER BY later.id LIMIT %(rows_max)s::int
