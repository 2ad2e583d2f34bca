-- Proves that a reminder leads back to the SMS that made it: both are of one trace. Locks nothing.
SELECT 'reminder', r.id::text, jsonb_build_object('message', m.id)
  FROM reminders_reminder r JOIN reminders_message m ON m.id = r.message_id
 WHERE left(r.trace_context, 35) <> left(m.trace_context, 35) AND length(r.trace_context) = 55
   AND length(m.trace_context) = 55
 ORDER BY r.id LIMIT %(rows_max)s::int
