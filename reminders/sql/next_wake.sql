-- Seconds until the next timer that the last look did not see may be claimed (0 or less where one fell due since then),
-- or NULL where none does within a poll: further ahead nothing is read, also not what an old snapshot holds there.
-- The end of a lease is found by the poll. Locks nothing. Served by both timer indexes.
SELECT extract(epoch FROM least(
         (SELECT wake_at FROM reminders_timer
           WHERE kind = 'ring' AND wake_at > %(looked_at)s::timestamptz
             AND wake_at <= now() + make_interval(secs => %(poll_seconds)s::float8)
           ORDER BY wake_at LIMIT 1),
         (SELECT wake_at FROM reminders_timer
           WHERE kind <> 'ring' AND wake_at > %(looked_at)s::timestamptz
             AND wake_at <= now() + make_interval(secs => %(poll_seconds)s::float8)
           ORDER BY wake_at LIMIT 1)
       ) - now())::float8
