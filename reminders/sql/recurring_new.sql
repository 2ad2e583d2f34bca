-- The timer of a recurring kind of work, once. Locks nothing that is there. Served by timer_once.
INSERT INTO reminders_timer (id, kind, key, bucket, due_at, wake_at)
VALUES (ringback_uuid7(), %(kind)s::text, %(key)s::uuid, 0, now() + interval '20 seconds', now() + interval '20 seconds')
ON CONFLICT (kind, key, generation) DO NOTHING
