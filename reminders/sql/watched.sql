-- Everybody under watch, whose watch ends first first. Locks nothing. Served by the primary key of the
-- persons; the table holds limits.WATCHED_MAX rows.
SELECT w.name, s.number, w.since, w.until
  FROM reminders_watched w JOIN reminders_subscriber s ON s.id = w.subscriber_id
 WHERE w.until > %(now)s::timestamptz
 ORDER BY w.until, w.name
