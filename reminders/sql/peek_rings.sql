-- What waits to ring (at most %(limit)s are counted), the database's clock, and the age of the oldest.
-- Locks nothing. Served by timer_rings.
SELECT (SELECT count(*) FROM (SELECT 1 FROM reminders_timer
                               WHERE kind = 'ring' AND wake_at >= %(low_water)s::timestamptz AND wake_at <= now()
                               LIMIT %(limit)s::int) AS due) AS due,
       now() AS now,
       extract(epoch FROM now() - (SELECT greatest(due_at, made_late_at) FROM reminders_timer
                                    WHERE kind = 'ring' AND wake_at >= %(low_water)s::timestamptz AND wake_at <= now()
                                    ORDER BY wake_at LIMIT 1))::float8 AS oldest_due_seconds
