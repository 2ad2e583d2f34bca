-- Good and all events of each objective over several windows that end now. Locks nothing. Served by rollup_minute.
SELECT w.seconds, r.slo, sum(r.good)::bigint AS good, sum(r.total)::bigint AS total
  FROM unnest(%(seconds)s::bigint[]) AS w(seconds)
  JOIN observing_rollup r ON r.minute >= %(at)s::timestamptz - make_interval(secs => w.seconds) AND r.minute < %(at)s::timestamptz
 GROUP BY w.seconds, r.slo
