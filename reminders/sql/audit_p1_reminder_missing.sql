-- Proves that a message whose outcome is a reminder made that reminder. Locks nothing.
SELECT 'message', m.id::text, jsonb_build_object('reminder', m.reminder_id)
  FROM reminders_message m
 WHERE m.outcome = 'reminder'
   AND NOT EXISTS (SELECT FROM reminders_reminder r WHERE r.id = m.reminder_id AND r.message_id = m.id)
 ORDER BY m.id LIMIT %(rows_max)s::int
