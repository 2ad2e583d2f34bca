-- Dead letters, oldest first, with whose they are and why: the cause of the burial, or the reason of the last attempt.
-- Locks nothing. Served by reminder_dead, event_reminder and attempt_reminder.
SELECT r.id, r.number, r.subject, r.due_at, r.zone, r.ended_at, s.number AS phone,
       coalesce(dead.detail ->> 'cause', last.reason, 'unknown') AS cause
  FROM reminders_reminder r
  JOIN reminders_subscriber s ON s.id = r.subscriber_id
  LEFT JOIN reminders_event dead
    ON dead.reminder_id = r.id AND dead.version = r.version AND dead.version IS NOT NULL
  LEFT JOIN LATERAL (SELECT a.reason FROM reminders_attempt a WHERE a.reminder_id = r.id ORDER BY a.id DESC LIMIT 1)
    AS last ON true
 WHERE r.state = 'dead'
 ORDER BY r.ended_at, r.id LIMIT %(rows_max)s::int
