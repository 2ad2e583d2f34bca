-- A proof that came late for an attempt whose reminder has moved on: the attempt tells the truth.
-- Locks the attempt. Served by its primary key.
UPDATE reminders_attempt SET outcome = %(outcome)s::text
 WHERE id = %(attempt_id)s::uuid AND state IN ('ended', 'not_placed')
