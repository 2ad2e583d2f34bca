-- What the newest mark of a kind says. Locks nothing. Served by mark_at, from the newest on.
SELECT says FROM observing_mark WHERE kind = %(kind)s::text ORDER BY at DESC LIMIT 1
