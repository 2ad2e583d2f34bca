-- A worker takes up a claim of any kind but rings. As open_claim.sql.
-- Locks the claimed timers. Served by the primary key.
UPDATE reminders_timer SET claims = claims + 1
 WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid AND wake_at > now()
RETURNING id, kind, key, generation, due_at, claims
