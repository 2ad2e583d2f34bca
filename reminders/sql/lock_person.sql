-- Locks the person of an attempt (FOR NO KEY UPDATE), before their reminders: the order in which STOP locks them.
-- Served by the primary keys.
SELECT id FROM reminders_subscriber
 WHERE id = (SELECT subscriber_id FROM reminders_attempt WHERE id = %(attempt_id)s::uuid)
   FOR NO KEY UPDATE
