-- Proves that whoever was refused was told: a reply belongs to each refusal, but to a person who said STOP.
-- Locks nothing.
SELECT 'message', m.id::text, jsonb_build_object('understood', m.kind)
  FROM reminders_message m JOIN reminders_messagekey k ON k.id = m.id
 WHERE m.outcome = 'refused' AND m.kind <> 'stopped' AND k.reply_id IS NULL
 ORDER BY m.id LIMIT %(rows_max)s::int
