-- How many attempts were dialled, or may have been, in the last hour and day, counted up to a bound each, and until when
-- the bounds are lifted. Locks nothing. Served by the attempts' primary key, whose ids begin with their time.
SELECT (SELECT count(*) FROM (SELECT FROM reminders_attempt
                               WHERE id >= ringback_uuid7_at(now() - interval '1 hour') AND state NOT IN ('not_sent', 'not_placed')
                               LIMIT %(hour_max)s::int) AS hour) AS hour,
       (SELECT count(*) FROM (SELECT FROM reminders_attempt
                               WHERE id >= ringback_uuid7_at(now() - interval '1 day') AND state NOT IN ('not_sent', 'not_placed')
                               LIMIT %(day_max)s::int) AS day) AS day,
       (SELECT spent_until FROM reminders_pace WHERE account = %(lifted)s::text AND spent_until > now()) AS lifted_until
