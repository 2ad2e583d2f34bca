-- How many events of each minute were good, for the objectives that the rows know. One row an objective and minute.
-- freshness: occurrences by their first attempt; good where it rang in time. correctness: texts and attempts; not good
-- is a break that was opened. completeness: occurrences first tried `settled_seconds` before; good where they have ended,
-- or wait for a next attempt that is planned, or has just been claimed.
-- Locks nothing. Served by the primary keys (UUIDv7: a range of time) and break_open_once_per_subject.
WITH tried AS (
  SELECT date_trunc('minute', a.intended_at) AS minute, a.ended_at, o.lateness_ms
    FROM reminders_attempt a JOIN reminders_occurrence o ON o.id = a.occurrence_id
   WHERE a.id >= ringback_uuid7_at(%(since)s::timestamptz) AND a.id < ringback_uuid7_at(%(until)s::timestamptz)
     AND a.number = 1
), settled AS (
  SELECT date_trunc('minute', a.intended_at) + make_interval(secs => %(settled_seconds)s::float8) AS minute,
         o.outcome IS NOT NULL OR EXISTS (SELECT FROM reminders_timer t
           WHERE t.kind = 'ring' AND t.key = a.reminder_id
             AND (t.wake_at > now() OR t.token IS NOT NULL AND t.leased_until > now())) AS good
    FROM reminders_attempt a JOIN reminders_occurrence o ON o.id = a.occurrence_id
   WHERE a.id >= ringback_uuid7_at(%(since)s::timestamptz - make_interval(secs => %(settled_seconds)s::float8))
     AND a.id < ringback_uuid7_at(%(until)s::timestamptz - make_interval(secs => %(settled_seconds)s::float8))
     AND a.number = 1
), kept AS (
  SELECT date_trunc('minute', received_at) AS minute, count(*) AS total FROM reminders_message
   WHERE id >= ringback_uuid7_at(%(since)s::timestamptz) AND id < ringback_uuid7_at(%(until)s::timestamptz) GROUP BY 1
  UNION ALL
  SELECT minute, count(*) FROM tried GROUP BY 1
), broken AS (
  SELECT date_trunc('minute', opened_at) AS minute, count(*) AS bad FROM billing_break
   WHERE opened_at >= %(since)s::timestamptz AND opened_at < %(until)s::timestamptz GROUP BY 1
)
SELECT 'freshness' AS slo, minute, count(*) FILTER (WHERE lateness_ms <= %(fresh_ms)s::bigint) AS good, count(*) AS total
  FROM tried WHERE lateness_ms IS NOT NULL OR ended_at IS NOT NULL GROUP BY minute
UNION ALL
SELECT 'completeness', date_trunc('minute', minute), count(*) FILTER (WHERE good), count(*) FROM settled GROUP BY 2
UNION ALL
SELECT 'correctness', minute, greatest(0, sum(total) - coalesce(max(bad), 0))::bigint,
       greatest(sum(total), coalesce(max(bad), 0))::bigint
  FROM kept FULL JOIN broken USING (minute) GROUP BY minute
