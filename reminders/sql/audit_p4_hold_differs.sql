-- Proves that each attempt has its hold and each hold its attempt, of the same occurrence, and that a hold is reserved
-- exactly as long as its attempt is open. Locks nothing; both primary keys are joined once.
SELECT 'attempt', coalesce(a.id, h.id)::text, jsonb_build_object('attempt', a.state, 'hold', h.state)
  FROM reminders_attempt a FULL JOIN billing_hold h ON h.id = a.id
 WHERE a.id IS NULL OR h.id IS NULL OR h.occurrence_id <> a.occurrence_id
    OR (h.state = 'reserved') <> (a.state IN ('intended', 'placed', 'in_call', 'unknown'))
 ORDER BY 2 LIMIT %(rows_max)s::int
