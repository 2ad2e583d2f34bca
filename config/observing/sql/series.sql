-- Each objective's counts by steps of time, oldest first, for the page's curves. Locks nothing. Served by rollup_minute.
SELECT slo, date_bin(make_interval(secs => %(step_seconds)s::float8), minute, %(since)s::timestamptz) AS at,
       sum(good)::bigint AS good, sum(total)::bigint AS total
  FROM observing_rollup WHERE minute >= %(since)s::timestamptz AND minute < %(until)s::timestamptz
 GROUP BY 1, 2 ORDER BY 1, 2
