-- The row that a carrier account's pace is taken from. Locks nothing that is there. Served by the primary key.
INSERT INTO reminders_pace (account, spent_until) VALUES (%(account)s::text, now()) ON CONFLICT DO NOTHING
