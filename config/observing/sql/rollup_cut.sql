-- Deletes what is older than the page of nines looks back, a bounded piece at a time. Locks the rows that it deletes.
DELETE FROM observing_rollup WHERE (slo, minute) IN (
  SELECT slo, minute FROM observing_rollup WHERE minute < %(before)s::timestamptz LIMIT 10000)
