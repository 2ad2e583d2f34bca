-- For the lines of a statement: the reminder and the trace of the messages and attempts that they name.
-- Locks nothing. Served by primary keys.
SELECT m.id, m.reminder_id, r.number, m.trace_context
  FROM reminders_message m LEFT JOIN reminders_reminder r ON r.id = m.reminder_id
 WHERE m.id = ANY (%(ids)s::uuid[])
UNION ALL
SELECT a.id, a.reminder_id, r.number, a.trace_context
  FROM reminders_attempt a LEFT JOIN reminders_reminder r ON r.id = a.reminder_id
 WHERE a.id = ANY (%(ids)s::uuid[])
