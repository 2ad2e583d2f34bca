-- Whether this database has every commit that these witnesses were told of: who it is, whether it is in quarantine, and
-- of the witnesses: the lineages that are unknown here (of them, those of another database), how many are ahead of it,
-- and how far it surely goes. Locks nothing. Served by the primary keys and lineage_once.
WITH told AS (
    SELECT t.lineage, t.number, w.number AS found, w.moved_at,
           EXISTS (SELECT FROM reminders_lineage WHERE token = t.lineage) AS is_known,
           EXISTS (SELECT FROM reminders_lineage WHERE token = t.born) AS is_ours
      FROM unnest(%(ids)s::uuid[], %(borns)s::uuid[], %(lineages)s::uuid[], %(numbers)s::bigint[])
        AS t (id, born, lineage, number)
      LEFT JOIN reminders_witness w ON w.id = t.id
), present AS (
    SELECT (SELECT token FROM reminders_lineage WHERE kind = 'begun' ORDER BY position LIMIT 1) AS born,
           (SELECT token FROM reminders_lineage WHERE kind <> 'lost' ORDER BY position DESC LIMIT 1) AS lineage,
           (SELECT kind FROM reminders_lineage ORDER BY position DESC LIMIT 1) = 'lost' AS is_closed
), ahead AS (
    SELECT told.* FROM told, present
     WHERE NOT is_known OR (told.lineage = present.lineage AND COALESCE(found, -1) < told.number)
)
SELECT born, lineage, is_closed,
       ARRAY(SELECT DISTINCT a.lineage FROM ahead a WHERE NOT is_known) AS unknown,
       (SELECT count(*) FROM ahead) AS ahead,
       (SELECT count(*) FROM ahead WHERE NOT is_ours) AS strangers,
       (SELECT max(moved_at) FROM ahead) AS reached_at
  FROM present
