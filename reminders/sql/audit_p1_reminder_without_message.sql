-- Proves that every reminder comes from an accepted message. Locks nothing.
SELECT 'reminder', r.id::text, jsonb_build_object('message', r.message_id)
  FROM reminders_reminder r
 WHERE NOT EXISTS (SELECT FROM reminders_messagekey k WHERE k.id = r.message_id)
 ORDER BY r.id LIMIT %(rows_max)s::int
