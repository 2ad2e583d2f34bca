-- The evidence about each call, told by callbacks and look-ups, at the carrier's times. Evidence is folded into the
-- attempt without a time of its own recording, so that is the first event which proves that we knew it: never too
-- early. Locks nothing. Served by reminder_number, attempt_reminder and event_person.
WITH known AS (
  SELECT attempt_id,
         min(recorded_at) FILTER (WHERE what = 'attempt.in_call' OR detail ->> 'outcome' IN ('answered', 'machine')) AS answered_at,
         min(recorded_at) FILTER (WHERE what = 'attempt.ended') AS ended_at,
         min(recorded_at) FILTER (WHERE what IN ('attempt.in_call', 'attempt.ended')) AS rang_at
    FROM reminders_event
   WHERE subscriber_id = %(subscriber_id)s::uuid AND attempt_id IS NOT NULL
   GROUP BY attempt_id
)
SELECT told.at, told.recorded_at, told.what, a.reminder_id, NULL::int, a.id,
       jsonb_strip_nulls(told.detail || jsonb_build_object('carrier_sid', a.carrier_sid)), a.trace_context
  FROM reminders_reminder r
  JOIN reminders_attempt a ON a.reminder_id = r.id
  JOIN reminders_occurrence o ON o.id = a.occurrence_id
  LEFT JOIN known ON known.attempt_id = a.id
  CROSS JOIN LATERAL (VALUES
    (a.ringing_at, known.rang_at, 'call.ringing',
     CASE WHEN o.rang_at = a.ringing_at THEN jsonb_build_object('lateness_ms', o.lateness_ms) ELSE '{}' END),
    (a.answered_at, least(a.words_at, known.answered_at), 'call.answered', jsonb_build_object('answered_by', a.answered_by)),
    (a.words_at, a.words_at, 'call.words_asked',
     jsonb_build_object('late', o.late, 'lateness_ms', o.lateness_ms, 'late_cause', o.late_cause)),
    (a.pressed_at, a.pressed_at, 'call.key_pressed', jsonb_build_object('pressed', a.pressed)),
    (a.call_ended_at, known.ended_at, 'call.ended',
     jsonb_build_object('status', a.call_status, 'seconds', a.duration_seconds))
  ) AS told (at, recorded_at, what, detail)
 WHERE r.subscriber_id = %(subscriber_id)s::uuid AND told.at IS NOT NULL
 ORDER BY a.id DESC LIMIT %(rows_max)s::int
