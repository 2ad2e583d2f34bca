-- Claims what is due, oldest first: the lease has a column of its own, the fencing token names the claim. Whoever sets
-- token to NULL ends the lease. No indexed column moves, so that a claim leaves nothing behind in an index (a HOT update).
-- Locks the claimed rows (SKIP LOCKED). Served by timer_others, from the oldest that peek_timers.sql saw, so that dead rows
-- held by an old snapshot are not read again; then by the rows' places, which no other claim can change meanwhile.
UPDATE reminders_timer t
   SET token = %(token)s::uuid, leased_until = now() + make_interval(secs => %(lease_seconds)s::float8), parked = false,
       wait_cause = CASE WHEN now() - t.due_at > interval '2 seconds' THEN coalesce(t.wait_cause, %(cause)s::text) ELSE t.wait_cause END
 WHERE t.ctid = ANY (ARRAY(
   SELECT ctid FROM reminders_timer
    WHERE kind <> 'ring' AND wake_at >= %(since)s::timestamptz AND wake_at <= now()
      AND coalesce(token IS NULL OR leased_until <= now(), true)
    ORDER BY wake_at LIMIT %(limit)s::int
   FOR UPDATE SKIP LOCKED
 ))
RETURNING t.id, t.kind, t.claims, t.strikes, t.due_at
