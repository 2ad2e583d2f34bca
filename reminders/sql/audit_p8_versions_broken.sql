-- Proves that no move of a reminder went without its event, and none was made up: versions from 1 to the row's, each
-- once. Locks nothing; event_reminder serves the grouping.
SELECT 'reminder', coalesce(r.id, e.reminder_id)::text,
       jsonb_build_object('version', r.version, 'events', e.events, 'first', e.first, 'last', e.last)
  FROM reminders_reminder r
  FULL JOIN (SELECT reminder_id, count(*) AS events, count(DISTINCT version) AS versions, min(version) AS first, max(version) AS last
               FROM reminders_event WHERE version IS NOT NULL GROUP BY reminder_id) AS e ON e.reminder_id = r.id
 WHERE r.id IS NULL OR e.reminder_id IS NULL
    OR e.first <> 1 OR e.last <> r.version OR e.events <> r.version OR e.versions <> r.version
 ORDER BY 2 LIMIT %(rows_max)s::int
