-- How many calls are open, up to the limit of the account. Locks nothing. Served by the primary key.
SELECT count(*) FROM (SELECT 1 FROM reminders_opencall LIMIT %(limit)s::int) AS open
