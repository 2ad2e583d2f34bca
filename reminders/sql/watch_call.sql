-- A call that still goes on is asked for again later. Locks the timer. Served by timer_once (why the kind is no constant:
-- settle.sql).
WITH its AS MATERIALIZED (
  SELECT 'look_up' AS kind, %(attempt_id)s::uuid AS key
)
UPDATE reminders_timer t
   SET due_at = now() + make_interval(secs => %(seconds)s::float8),
       wake_at = now() + make_interval(secs => %(seconds)s::float8), token = NULL, claims = 0
  FROM its WHERE t.kind = its.kind AND t.key = its.key AND t.generation = 1
