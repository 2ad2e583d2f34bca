-- Gives a claim back whose doorbell could not be sent: claimable again after a moment, and no mark against the rows.
-- Locks the claimed timers. Served by the primary key.
UPDATE reminders_timer SET token = NULL, wake_at = now() + make_interval(secs => %(seconds)s::float8)
 WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid
