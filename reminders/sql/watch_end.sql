-- Ends a person's watch. Locks their row. Served by the primary key.
DELETE FROM reminders_watched WHERE subscriber_id = %(subscriber_id)s::uuid
RETURNING until > %(now)s::timestamptz
