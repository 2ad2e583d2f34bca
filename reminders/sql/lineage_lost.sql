-- The quarantine that nobody has ended yet: when it was declared last, and how far the database surely went then; no
-- row where there is none. Locks nothing. Served by the primary key.
SELECT max(at) AS declared_at, min(reached_at) AS reached_at, bool_or(reached_at IS NULL) AS is_unsure
  FROM reminders_lineage
 WHERE position > (SELECT COALESCE(max(position), 0) FROM reminders_lineage WHERE kind <> 'lost')
HAVING count(*) > 0
