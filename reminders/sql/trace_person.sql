-- A person by their number. Locks nothing. Served by the unique number.
SELECT id, account_id, number, zone, language, created_at, stopped_at, started_at
  FROM reminders_subscriber WHERE number = %(number)s::text
