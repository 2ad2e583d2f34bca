-- After a restore: how a person's one open call stands when the carrier lists the next one to them, and whether the
-- attempt that this call's webhooks named is known. Locks nothing. Served by subscriber_number and primary keys.
SELECT a.id, a.carrier, a.carrier_sid, a.intended_at,
       EXISTS (SELECT FROM reminders_attempt t WHERE t.id = %(told_id)s::uuid) AS told_known
  FROM (SELECT 1) AS one
  LEFT JOIN reminders_subscriber s ON s.number = %(number)s::text
  LEFT JOIN reminders_opencall c ON c.subscriber_id = s.id
  LEFT JOIN reminders_attempt a ON a.id = c.attempt_id
