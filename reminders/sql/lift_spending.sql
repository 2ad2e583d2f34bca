-- Lifts the bounds of spending until then. Locks its own row of the paces. Served by the primary key.
UPDATE reminders_pace SET spent_until = %(until)s::timestamptz WHERE account = %(account)s::text
