-- Proves that late means over the freshness (the present setting: after a change, older occurrences are judged by the
-- new one). Locks nothing.
SELECT 'occurrence', o.id::text, jsonb_build_object('late', o.late, 'lateness_ms', o.lateness_ms)
  FROM reminders_occurrence o
 WHERE o.late <> (o.rang_at - o.due_at > make_interval(secs => %(freshness_seconds)s::float8))
 ORDER BY o.id LIMIT %(rows_max)s::int
