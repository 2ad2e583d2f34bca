-- Each attempt as it was intended: its number, how late it started against its plan, and what it had waited for.
-- Locks nothing. Served by reminder_number, attempt_reminder and event_reminder.
SELECT a.intended_at, a.intended_at, 'attempt.intended', a.reminder_id, NULL::int, a.id,
       jsonb_build_object('attempt_number', a.number, 'occurrence', a.sequence, 'planned_at', plan.at,
                          'lateness_ms', (extract(epoch FROM a.intended_at - plan.at) * 1000)::bigint,
                          'wait_cause', a.wait_cause, 'carrier', a.carrier), a.trace_context
  FROM reminders_reminder r
  JOIN reminders_attempt a ON a.reminder_id = r.id
  JOIN reminders_occurrence o ON o.id = a.occurrence_id
  LEFT JOIN LATERAL (
    SELECT before.detail ->> 'ring_at' AS ring_at
      FROM reminders_event rang
      JOIN reminders_event before ON before.reminder_id = rang.reminder_id AND before.version = rang.version - 1
     WHERE rang.reminder_id = r.id AND rang.version IS NOT NULL AND rang.attempt_id = a.id AND rang.what = 'reminder.ringing'
  ) AS planned ON true
  CROSS JOIN LATERAL (SELECT coalesce(planned.ring_at::timestamptz, o.due_at)) AS plan (at)
 WHERE r.subscriber_id = %(subscriber_id)s::uuid
 ORDER BY a.id DESC LIMIT %(rows_max)s::int
