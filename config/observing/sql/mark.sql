-- Notes a moment for the timeline: a deploy, a fault, a failover, an alert. Locks nothing but its own row.
INSERT INTO observing_mark (id, at, kind, says) VALUES (ringback_uuid7(), %(at)s::timestamptz, %(kind)s::text, %(says)s::text)
