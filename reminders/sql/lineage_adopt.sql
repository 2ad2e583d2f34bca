-- A witness begins, or goes on in a lineage that began after it had looked last. Locks its row. Served by the primary
-- key.
INSERT INTO reminders_witness AS w (id, instance, number, moved_at)
VALUES (%(id)s::uuid, %(instance)s::text, %(number)s::bigint + 1, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET number = GREATEST(w.number, %(number)s::bigint) + 1, moved_at = clock_timestamp()
RETURNING number
