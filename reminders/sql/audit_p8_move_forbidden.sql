-- Proves that each move in the history is one that may be made (`states.REMINDER_TRANSITIONS`), from a scheduled start,
-- and that nothing in it runs backwards. Locks nothing; event_reminder serves the order.
SELECT 'reminder', reminder_id::text, jsonb_build_object('version', version, 'from', before, 'to', state)
  FROM (
    SELECT reminder_id, version, detail ->> 'state' AS state, lag(detail ->> 'state') OVER w AS before,
           (detail ->> 'sequence')::int AS sequence, lag((detail ->> 'sequence')::int) OVER w AS sequence_before,
           (detail ->> 'generation')::int AS generation, lag((detail ->> 'generation')::int) OVER w AS generation_before
      FROM reminders_event WHERE version IS NOT NULL
    WINDOW w AS (PARTITION BY reminder_id ORDER BY version)
  ) AS moves
 WHERE (before IS NULL AND version = 1 AND state IS DISTINCT FROM 'scheduled')
    OR (before IS NOT NULL AND (before || '>' || state) <> ALL (%(moves)s::text[]))
    OR sequence < sequence_before OR generation < generation_before
 ORDER BY reminder_id, version LIMIT %(rows_max)s::int
