-- How late first rings were: how many fell between each two bounds (milliseconds), the last beyond them all.
-- Locks nothing. Served by the primary key of attempts (UUIDv7: a range of time).
SELECT width_bucket(o.lateness_ms::float8, %(bounds)s::float8[]) AS place, count(*) AS rings
  FROM reminders_attempt a JOIN reminders_occurrence o ON o.id = a.occurrence_id
 WHERE a.id >= ringback_uuid7_at(%(since)s::timestamptz) AND a.number = 1 AND o.lateness_ms IS NOT NULL
 GROUP BY 1 ORDER BY 1
