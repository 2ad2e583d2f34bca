-- Proves that every row of a person carries the person's bucket, by which cells keep people apart. Locks nothing.
SELECT found.kind, found.id::text, jsonb_build_object('bucket', found.bucket, 'person', s.bucket)
  FROM (SELECT 'message' AS kind, id, subscriber_id, bucket FROM reminders_message
        UNION ALL SELECT 'reminder', id, subscriber_id, bucket FROM reminders_reminder
        UNION ALL SELECT 'attempt', id, subscriber_id, bucket FROM reminders_attempt
        UNION ALL SELECT 'reply', id, subscriber_id, bucket FROM reminders_reply) AS found
  JOIN reminders_subscriber s ON s.id = found.subscriber_id
 WHERE found.bucket <> s.bucket
 ORDER BY found.kind, found.id LIMIT %(rows_max)s::int
