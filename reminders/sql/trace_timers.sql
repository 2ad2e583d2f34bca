-- What waits for a person: the timers of their reminders, attempts and replies.
-- Locks nothing. Served by reminder_open, the open call's primary key, reply_person and timer_once.
SELECT t.kind, t.key, t.due_at, t.wake_at, t.claims, t.parked, t.wait_cause, waiting.reminder_id
  FROM (
    SELECT 'ring' AS kind, id AS key, id AS reminder_id FROM reminders_reminder
     WHERE subscriber_id = %(subscriber_id)s::uuid AND state IN ('scheduled', 'ringing')
    UNION ALL
    SELECT kind, c.attempt_id, a.reminder_id FROM reminders_opencall c
      JOIN reminders_attempt a ON a.id = c.attempt_id, (VALUES ('look_up'), ('hang_up')) AS k (kind)
     WHERE c.subscriber_id = %(subscriber_id)s::uuid
    UNION ALL
    SELECT 'reply', id, reminder_id FROM reminders_reply
     WHERE subscriber_id = %(subscriber_id)s::uuid AND state IN ('intended', 'handed_over', 'unknown')
  ) AS waiting
  JOIN reminders_timer t ON t.kind = waiting.kind AND t.key = waiting.key
 ORDER BY t.due_at, t.id LIMIT %(rows_max)s::int
