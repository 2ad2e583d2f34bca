-- Declare that acknowledged commits are missing here, and know the lineages from now on that were unknown. Locks nothing:
-- called under lineage_lock. Served by lineage_once.
INSERT INTO reminders_lineage (token, kind, reached_at)
SELECT token, 'lost', %(reached_at)s::timestamptz
  FROM unnest(%(unknown)s::uuid[]) AS token
UNION ALL SELECT NULL, 'lost', %(reached_at)s::timestamptz
 WHERE cardinality(%(unknown)s::uuid[]) = 0
ON CONFLICT (token) DO NOTHING
