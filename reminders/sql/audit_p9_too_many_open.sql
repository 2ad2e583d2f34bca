-- Proves that a flood of one person is bounded: open reminders. Locks nothing; reminder_open serves the count.
SELECT 'subscriber', subscriber_id::text, jsonb_build_object('open', count(*), 'limit', %(open_reminders_max)s::int)
  FROM reminders_reminder WHERE state IN ('scheduled', 'ringing')
 GROUP BY subscriber_id HAVING count(*) > %(open_reminders_max)s::int
 ORDER BY subscriber_id LIMIT %(rows_max)s::int
