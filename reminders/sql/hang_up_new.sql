-- A timer that hangs up the call of an attempt, once.
-- Locks nothing that is there. Served by the attempt's primary key and timer_once.
INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
SELECT ringback_uuid7(), 'hang_up', id, bucket, subscriber_id, now(), now() FROM reminders_attempt WHERE id = %(attempt_id)s::uuid
ON CONFLICT (kind, key, generation) DO NOTHING
