-- What a dispatcher sees at one look, from its low-water marks on: of either kind the oldest row that is there, leased
-- or not (the mark may not pass it), and the oldest that may be claimed; how many may ring (at most %(limit)s are
-- counted), how old the oldest of them is, and the database's clock. Dead rows that an old snapshot holds before the
-- oldest that is there are read once.
-- Locks nothing. Served by timer_rings and timer_others.
WITH ring AS MATERIALIZED (
  SELECT wake_at FROM reminders_timer
   WHERE kind = 'ring' AND wake_at >= %(rings_since)s::timestamptz AND wake_at <= now()
   ORDER BY wake_at LIMIT 1
), rings AS MATERIALIZED (
  SELECT wake_at, greatest(due_at, made_late_at) AS since FROM reminders_timer
   WHERE kind = 'ring' AND wake_at >= (SELECT wake_at FROM ring) AND wake_at <= now()
     AND coalesce(token IS NULL OR leased_until <= now(), true)
   ORDER BY wake_at LIMIT %(limit)s::int
), other AS MATERIALIZED (
  SELECT wake_at FROM reminders_timer
   WHERE kind <> 'ring' AND wake_at >= %(others_since)s::timestamptz AND wake_at <= now()
   ORDER BY wake_at LIMIT 1
), others AS MATERIALIZED (
  SELECT wake_at FROM reminders_timer
   WHERE kind <> 'ring' AND wake_at >= (SELECT wake_at FROM other) AND wake_at <= now()
     AND coalesce(token IS NULL OR leased_until <= now(), true)
   ORDER BY wake_at LIMIT 1
)
SELECT now() AS now, (SELECT count(*) FROM rings) AS due,
       extract(epoch FROM now() - (SELECT since FROM rings LIMIT 1))::float8 AS oldest_due_seconds,
       (SELECT wake_at FROM ring) AS oldest_ring, (SELECT min(wake_at) FROM rings) AS first_ring,
       (SELECT wake_at FROM other) AS oldest_other, (SELECT wake_at FROM others) AS first_other
