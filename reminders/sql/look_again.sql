-- A look-up that found nothing (counted), or could not be made: its timer moves on. The looker's monotonic clock runs
-- from the intent where it is the same boot, and from its first counted look on another boot or machine.
-- Locks the attempt, then its timer. Served by the primary key and timer_once (why the kind is no constant: settle.sql).
WITH moved AS (
  UPDATE reminders_attempt
     SET state = 'unknown',
         look_ups = CASE WHEN looker = %(looker)s::text THEN look_ups + %(counted)s::int
                         WHEN %(counted)s::int = 1 THEN 1 ELSE look_ups END,
         looked_ms = CASE WHEN looker = %(looker)s::text OR %(counted)s::int = 0 THEN looked_ms ELSE %(monotonic_ms)s::bigint END,
         looker = CASE WHEN %(counted)s::int = 1 THEN %(looker)s::text ELSE looker END
   WHERE id = %(attempt_id)s::uuid AND state IN ('intended', 'placed', 'in_call', 'unknown')
  RETURNING id, 'look_up' AS timer_kind
)
UPDATE reminders_timer t
   SET due_at = now() + make_interval(secs => %(seconds)s::float8),
       wake_at = now() + make_interval(secs => %(seconds)s::float8), token = NULL, claims = 0
  FROM moved WHERE t.kind = moved.timer_kind AND t.key = moved.id
