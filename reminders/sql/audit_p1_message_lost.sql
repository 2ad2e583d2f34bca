-- Proves that what was accepted is kept: every key has its message, but for a sender without a number (only refused,
-- told in the answer itself). Locks nothing; one anti-join over the primary keys.
SELECT 'message', k.id::text, jsonb_build_object('carrier_sid', k.carrier_sid, 'outcome', k.outcome)
  FROM reminders_messagekey k
 WHERE (k.outcome <> 'refused' OR k.reply_id IS NOT NULL)
   AND NOT EXISTS (SELECT FROM reminders_message m WHERE m.id = k.id)
 ORDER BY k.id LIMIT %(rows_max)s::int
