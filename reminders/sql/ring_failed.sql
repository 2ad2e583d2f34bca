-- Rings whose batch ended in an error: each comes again, and alone, later each time (1, 1, 1, 2, 4 ... seconds by its
-- count, at most a minute). Its count stays. What was rung, or has another claim by now, is left as it is.
-- Locks the claimed timers. Served by the primary key.
UPDATE reminders_timer
   SET token = NULL, failing_since = least(failing_since, now()),
       wake_at = now() + make_interval(secs => least(%(seconds_max)s::float8, power(2, greatest(0, least(claims, 30) - 3))))
 WHERE id = ANY (%(ids)s::uuid[]) AND token = %(token)s::uuid
