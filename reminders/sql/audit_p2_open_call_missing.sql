-- Proves that a person has at most one open attempt: the one that their open call names. Locks nothing.
SELECT 'attempt', a.id::text, jsonb_build_object('state', a.state)
  FROM reminders_attempt a
 WHERE a.state IN ('intended', 'placed', 'in_call', 'unknown')
   AND NOT EXISTS (SELECT FROM reminders_opencall c WHERE c.subscriber_id = a.subscriber_id AND c.attempt_id = a.id)
 ORDER BY a.id LIMIT %(rows_max)s::int
