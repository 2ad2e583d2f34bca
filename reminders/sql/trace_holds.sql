-- What was reserved for each attempt, and how that ended: read across the border to billing, where a hold's id is
-- the attempt's. Locks nothing. Served by reminder_number, attempt_reminder and the holds' primary key.
SELECT told.at, told.at, told.what, a.reminder_id, NULL::int, a.id,
       jsonb_strip_nulls(jsonb_build_object('amount_minor', h.amount_minor, 'currency', h.currency, 'reason', told.reason)),
       a.trace_context
  FROM reminders_reminder r
  JOIN reminders_attempt a ON a.reminder_id = r.id
  JOIN billing_hold h ON h.id = a.id
  CROSS JOIN LATERAL (VALUES
    (h.reserved_at, 'hold.reserved', NULL),
    (h.ended_at, 'hold.' || h.state, h.reason)
  ) AS told (at, what, reason)
 WHERE r.subscriber_id = %(subscriber_id)s::uuid AND told.at IS NOT NULL
 ORDER BY a.id DESC LIMIT %(rows_max)s::int
