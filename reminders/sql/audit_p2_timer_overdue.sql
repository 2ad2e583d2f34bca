-- Proves that what is due is done. What was made when it was due already (of a text that was fetched late) could not be
-- done before it was made. A reminder that waits for its person's other call is no break before its backstop is
-- overdue. Locks nothing; reads the timers once.
SELECT 'timer', t.id::text, jsonb_build_object('kind', t.kind, 'key', t.key, 'due_at', t.due_at, 'claims', t.claims,
                                               'wait_cause', t.wait_cause)
  FROM reminders_timer t
 WHERE greatest(t.due_at, t.made_late_at) < now() - make_interval(secs => %(overdue_seconds)s::float8)
   AND (t.wake_at < now() - make_interval(secs => %(overdue_seconds)s::float8)
        OR NOT (t.parked OR t.wait_cause IS NOT DISTINCT FROM 'other_call'
                OR EXISTS (SELECT FROM reminders_opencall c WHERE t.kind = 'ring' AND c.subscriber_id = t.subscriber_id)))
   AND NOT (t.kind = 'ring' AND NOT EXISTS (SELECT FROM reminders_reminder r
                                             WHERE r.id = t.key AND r.state = 'scheduled' AND r.generation = t.generation))
 ORDER BY t.due_at LIMIT %(rows_max)s::int
