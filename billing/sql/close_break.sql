-- open → closed. Locks the break's row; the primary key serves it.
UPDATE billing_break
SET closed_at = %(at)s, note = %(note)s
WHERE id = %(break_id)s AND closed_at IS NULL
