-- A moment that processes share. Locks nothing. Served by the primary key.
SELECT spent_until FROM reminders_pace WHERE account = %(name)s::text
