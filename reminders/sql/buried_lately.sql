-- How many reminders became dead letters in the last hour, counted up to a bound.
-- Locks nothing. Served by reminder_dead.
SELECT count(*) FROM (SELECT FROM reminders_reminder WHERE state = 'dead' AND ended_at > now() - interval '1 hour'
                       LIMIT %(rows_max)s::int) AS buried
