-- The account that an attempt or a reply was asked of: it is looked up there. Locks nothing. Served by the primary keys.
SELECT carrier FROM reminders_attempt WHERE id = %(key)s::uuid
 UNION ALL SELECT carrier FROM reminders_reply WHERE id = %(key)s::uuid
