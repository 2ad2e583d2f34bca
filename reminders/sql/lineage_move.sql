-- Move one witness's number by one, where this database has the last one that it was told of and is in no quarantine.
-- Locks its row, which nobody else moves. Served by the primary keys.
UPDATE reminders_witness w
   SET number = w.number + 1, moved_at = clock_timestamp()
  FROM (SELECT token, kind FROM reminders_lineage ORDER BY position DESC LIMIT 1) present
 WHERE w.id = %(id)s::uuid AND w.number >= %(number)s::bigint
   AND present.kind <> 'lost' AND present.token = %(lineage)s::uuid
RETURNING w.number
