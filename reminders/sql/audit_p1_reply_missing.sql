-- Proves that the reply that a message's key names was kept. Locks nothing.
SELECT 'message', k.id::text, jsonb_build_object('reply', k.reply_id)
  FROM reminders_messagekey k
 WHERE k.reply_id IS NOT NULL AND NOT EXISTS (SELECT FROM reminders_reply p WHERE p.id = k.reply_id)
 ORDER BY k.id LIMIT %(rows_max)s::int
