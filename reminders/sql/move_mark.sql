-- Moves a shared moment on, never back. Locks its own row. Served by the primary key.
INSERT INTO reminders_pace AS p (account, spent_until) VALUES (%(name)s::text, %(at)s::timestamptz)
ON CONFLICT (account) DO UPDATE SET spent_until = greatest(p.spent_until, excluded.spent_until)
