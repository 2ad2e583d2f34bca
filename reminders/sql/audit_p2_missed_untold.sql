-- Proves that who was missed is told by SMS (or why not stands in that reply): as many notices as missed occurrences.
-- Locks nothing; reads the missed occurrences, reply_person serves the count.
SELECT 'reminder', r.id::text, jsonb_build_object('missed', missed.occurrences, 'told', told.replies)
  FROM (SELECT reminder_id, count(*) AS occurrences FROM reminders_occurrence WHERE outcome = 'missed' GROUP BY reminder_id)
    AS missed
  JOIN reminders_reminder r ON r.id = missed.reminder_id
  CROSS JOIN LATERAL (SELECT count(*) AS replies FROM reminders_reply p
                       WHERE p.subscriber_id = r.subscriber_id AND p.reminder_id = r.id AND p.kind = 'missed') AS told
 WHERE told.replies < missed.occurrences
 ORDER BY r.id LIMIT %(rows_max)s::int
