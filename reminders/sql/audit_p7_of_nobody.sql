-- Proves that everything leads to its person: what a person's trace is gathered by is the same on every row of theirs.
-- Locks nothing; each table is read once and hashed against those that it names.
SELECT found.kind, found.id::text, jsonb_build_object('subscriber', found.subscriber_id)
  FROM (
    SELECT 'message' AS kind, m.id, m.subscriber_id
      FROM reminders_message m LEFT JOIN reminders_subscriber s ON s.id = m.subscriber_id
     WHERE s.id IS NULL
    UNION ALL
    SELECT 'reply', p.id, p.subscriber_id
      FROM reminders_reply p LEFT JOIN reminders_subscriber s ON s.id = p.subscriber_id
     WHERE s.id IS NULL
    UNION ALL
    SELECT 'event', e.id, e.subscriber_id
      FROM reminders_event e
      LEFT JOIN reminders_subscriber s ON s.id = e.subscriber_id
      LEFT JOIN reminders_reminder r ON r.id = e.reminder_id
     WHERE s.id IS NULL OR (e.reminder_id IS NOT NULL AND r.subscriber_id IS DISTINCT FROM e.subscriber_id)
    UNION ALL
    SELECT 'attempt', a.id, a.subscriber_id
      FROM reminders_attempt a
      LEFT JOIN reminders_occurrence o
        ON o.id = a.occurrence_id AND o.reminder_id = a.reminder_id AND o.sequence = a.sequence
      LEFT JOIN reminders_reminder r ON r.id = o.reminder_id
     WHERE r.subscriber_id IS DISTINCT FROM a.subscriber_id
  ) AS found
 ORDER BY found.kind, found.id LIMIT %(rows_max)s::int
