-- Notes a moment for the timeline, once: a deploy, a fault, a failover, an alert. Locks nothing but its own row.
-- Served by mark_at.
INSERT INTO observing_mark (id, at, kind, says)
SELECT ringback_uuid7(), told.* FROM (SELECT %(at)s::timestamptz AS at, %(kind)s::text AS kind, %(says)s::text AS says) AS told
 WHERE NOT EXISTS (SELECT FROM observing_mark m WHERE m.at = told.at AND m.kind = told.kind AND m.says = told.says)
