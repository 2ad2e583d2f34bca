-- Late rings wait for the end of the person's quiet hours: the claim ends, the cause is named.
-- Guarded by the fencing token. Locks the claimed timers. Served by the primary key.
UPDATE reminders_timer t
   SET wake_at = w.until, due_at = w.until, token = NULL, claims = 0, wait_cause = 'quiet_hours'
  FROM unnest(%(ids)s::uuid[], %(ends)s::timestamptz[]) AS w (id, until)
 WHERE t.id = w.id AND t.token = %(token)s::uuid
