-- What a person missed since then, newest first: of each reminder's last occurrences only, so that a rule of years costs
-- no more than one of weeks. Locks nothing. Served by reminder_number and occurrence_once.
SELECT r.number, r.subject, o.due_at
  FROM reminders_reminder r
 CROSS JOIN LATERAL (SELECT due_at, outcome, ended_at FROM reminders_occurrence
                      WHERE reminder_id = r.id ORDER BY sequence DESC LIMIT %(latest_max)s::int) AS o
 WHERE r.subscriber_id = %(subscriber_id)s::uuid AND o.outcome = 'missed' AND o.ended_at >= %(since)s::timestamptz
 ORDER BY o.ended_at DESC LIMIT %(rows_max)s::int
