-- A timer whose work failed: tried again, each time later (2 s doubled by its count, at most 5 minutes). Its count stays,
-- so that it travels alone. Locks the timer. Served by its primary key.
UPDATE reminders_timer
   SET failing_since = least(failing_since, now()), wake_at = now() + make_interval(secs => least(%(seconds_max)s::float8, power(2, least(claims, 9)))), token = NULL
 WHERE id = %(timer_id)s::uuid AND token = %(token)s::uuid
