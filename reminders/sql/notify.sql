-- Wakes the dispatchers that listen.
-- Locks nothing of ours: it runs outside a transaction, since a commit with a notice waits for every other one.
SELECT pg_notify('ringback_timers', '')
