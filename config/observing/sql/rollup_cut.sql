-- Takes away what is older than the page of nines looks back, a bounded piece at a time, and adds it to the minute in
-- which everything older stands: what was counted in all only grows, as a counter of Prometheus must.
-- Locks the rows that it deletes, then those of that minute, by objective.
WITH gone AS (
  DELETE FROM observing_rollup WHERE (slo, minute) IN (
    SELECT slo, minute FROM observing_rollup
     WHERE minute < %(before)s::timestamptz AND minute > 'epoch'::timestamptz LIMIT 10000)
  RETURNING slo, good, total
)
INSERT INTO observing_rollup AS r (slo, minute, good, total)
SELECT slo, 'epoch'::timestamptz, sum(good)::bigint, sum(total)::bigint FROM gone GROUP BY slo ORDER BY slo
    ON CONFLICT (slo, minute) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total
