-- What a message was answered, for its repetition; nothing where the reply's own timer sends it, so that nobody gets it
-- twice. Locks nothing. Served by the primary key.
SELECT body FROM reminders_reply WHERE id = %(reply_id)s::uuid AND state <> 'intended' AND sends = 0
