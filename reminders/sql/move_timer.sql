-- A timer that comes again: moved on by seconds, its mark cleared. Locks the timer. Served by its primary key.
UPDATE reminders_timer
   SET due_at = now() + make_interval(secs => %(seconds)s::float8),
       wake_at = now() + make_interval(secs => %(seconds)s::float8), token = NULL, claims = 0
 WHERE id = %(timer_id)s::uuid AND token = %(token)s::uuid
