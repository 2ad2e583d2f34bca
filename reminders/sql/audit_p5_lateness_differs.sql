-- Proves that the stored lateness is the first ringing less the due time; the carrier's whole seconds
-- may say a moment too early, which is 0. Locks nothing.
SELECT 'occurrence', o.id::text, jsonb_build_object('lateness_ms', o.lateness_ms, 'rang_at', o.rang_at, 'due_at', o.due_at)
  FROM reminders_occurrence o
 WHERE o.lateness_ms IS NOT NULL
   AND o.lateness_ms IS DISTINCT FROM greatest(0, extract(epoch FROM o.rang_at - o.due_at) * 1000)::bigint
 ORDER BY o.id LIMIT %(rows_max)s::int
