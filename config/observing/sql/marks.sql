-- The moments of a stretch of time, newest first, a bounded number. Locks nothing. Served by mark_at.
SELECT at, kind, says FROM observing_mark
 WHERE at >= %(since)s::timestamptz AND at < %(until)s::timestamptz ORDER BY at DESC LIMIT 500
