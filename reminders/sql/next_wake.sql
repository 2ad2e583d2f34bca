-- Seconds until the next timer that the last look did not see may be claimed (0 or less where one fell due since then),
-- or NULL where none waits. Locks nothing. Served by both timer indexes.
SELECT extract(epoch FROM least(
         (SELECT wake_at FROM reminders_timer WHERE kind = 'ring' AND wake_at > %(looked_at)s::timestamptz
           ORDER BY wake_at LIMIT 1),
         (SELECT wake_at FROM reminders_timer WHERE kind <> 'ring' AND wake_at > %(looked_at)s::timestamptz
           ORDER BY wake_at LIMIT 1)
       ) - now())::float8
