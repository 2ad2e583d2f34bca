-- Rows of history that no month holds, by the month of their ids, counted to a bound. Locks nothing.
-- Reads the default partitions, which are empty where all is well.
SELECT date_trunc('month', to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
                  AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month,
       count(*) FILTER (WHERE of = 'message') AS messages, count(*) FILTER (WHERE of = 'attempt') AS attempts,
       count(*) FILTER (WHERE of = 'event') AS events, count(*) FILTER (WHERE of = 'reply') AS replies
  FROM (SELECT id, 'message' AS of FROM reminders_message_default UNION ALL
        SELECT id, 'attempt' FROM reminders_attempt_default UNION ALL
        SELECT id, 'event' FROM reminders_event_default UNION ALL
        SELECT id, 'reply' FROM reminders_reply_default LIMIT %(rows_max)s::int) AS strays
 GROUP BY month ORDER BY month
