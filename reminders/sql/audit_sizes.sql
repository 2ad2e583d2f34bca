-- How many rows each promise is checked on. Locks nothing; reads each table once.
SELECT 'P1', (SELECT count(*) FROM reminders_messagekey)
UNION ALL SELECT 'P2', (SELECT count(*) FROM reminders_reminder)
UNION ALL SELECT 'P3', (SELECT count(*) FROM reminders_attempt)
UNION ALL SELECT 'P5', (SELECT count(*) FROM reminders_occurrence)
UNION ALL SELECT 'P7', (SELECT count(*) FROM reminders_message) + (SELECT count(*) FROM reminders_reminder)
                     + (SELECT count(*) FROM reminders_attempt) + (SELECT count(*) FROM reminders_reply)
UNION ALL SELECT 'P8', (SELECT count(*) FROM reminders_reminder)
UNION ALL SELECT 'P9', (SELECT count(*) FROM reminders_subscriber)
