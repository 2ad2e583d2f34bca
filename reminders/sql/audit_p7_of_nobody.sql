-- Proves that everything leads to its person: what a person's trace is gathered by is the same on every row of theirs.
-- Locks nothing; hash joins over primary keys.
SELECT found.kind, found.id::text, jsonb_build_object('subscriber', found.subscriber_id)
  FROM (
    SELECT 'message' AS kind, id, subscriber_id FROM reminders_message m
     WHERE NOT EXISTS (SELECT FROM reminders_subscriber s WHERE s.id = m.subscriber_id)
    UNION ALL
    SELECT 'reply', id, subscriber_id FROM reminders_reply p
     WHERE NOT EXISTS (SELECT FROM reminders_subscriber s WHERE s.id = p.subscriber_id)
    UNION ALL
    SELECT 'event', id, subscriber_id FROM reminders_event e
     WHERE NOT EXISTS (SELECT FROM reminders_subscriber s WHERE s.id = e.subscriber_id)
        OR (e.reminder_id IS NOT NULL AND NOT EXISTS (
             SELECT FROM reminders_reminder r WHERE r.id = e.reminder_id AND r.subscriber_id = e.subscriber_id))
    UNION ALL
    SELECT 'attempt', a.id, a.subscriber_id
      FROM reminders_attempt a
     WHERE NOT EXISTS (SELECT FROM reminders_occurrence o JOIN reminders_reminder r ON r.id = o.reminder_id
                        WHERE o.id = a.occurrence_id AND r.id = a.reminder_id AND r.subscriber_id = a.subscriber_id
                          AND o.sequence = a.sequence)
  ) AS found
 ORDER BY found.kind, found.id LIMIT %(rows_max)s::int
