-- What a message was answered, for its repetition. Locks nothing. Served by the primary key.
SELECT body FROM reminders_reply WHERE id = %(reply_id)s::uuid
