-- Keeps what one minute of one objective counted; counted again it is replaced. Locks the rows that it writes.
INSERT INTO observing_rollup (slo, minute, good, total)
SELECT * FROM unnest(%(slos)s::text[], %(minutes)s::timestamptz[], %(goods)s::bigint[], %(totals)s::bigint[])
    ON CONFLICT (slo, minute) DO UPDATE SET good = excluded.good, total = excluded.total
