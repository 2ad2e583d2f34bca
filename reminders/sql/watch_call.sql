-- A call that still goes on is asked for again later. Locks the timer. Served by timer_once.
UPDATE reminders_timer
   SET due_at = now() + make_interval(secs => %(seconds)s::float8),
       wake_at = now() + make_interval(secs => %(seconds)s::float8), token = NULL, claims = 0
 WHERE kind = 'look_up' AND key = %(attempt_id)s::uuid AND generation = 1
