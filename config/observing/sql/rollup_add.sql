-- Adds what a minute of an objective counted since, where each count is a difference. Locks the rows that it writes.
INSERT INTO observing_rollup AS r (slo, minute, good, total)
SELECT * FROM unnest(%(slos)s::text[], %(minutes)s::timestamptz[], %(goods)s::bigint[], %(totals)s::bigint[])
    ON CONFLICT (slo, minute) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total
