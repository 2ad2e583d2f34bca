-- Each attempt of a person, newest first: as it was intended (its number, how late it started against its plan, what it
-- had waited for); what its call proved, at the carrier's times; what was reserved for it, and how that ended (read across
-- the border to billing, where a hold's id is the attempt's). Evidence is folded into the attempt without a time of its own
-- recording, so that is the first event which proves that we knew it: never too early. The events are those of the person,
-- which are read for themselves too, and not looked for by reminder: that would be as many pages again.
-- Locks nothing. Served by reminder_number, attempt_reminder, event_person, and the primary keys of occurrences and holds.
-- The limit comes after the join: before it the planner might walk through everybody's attempts, newest first.
WITH event AS MATERIALIZED (
  SELECT attempt_id, what, recorded_at, detail ->> 'outcome' AS outcome,
         lag(detail ->> 'ring_at') OVER (PARTITION BY reminder_id ORDER BY version) AS planned_at
    FROM reminders_event
   WHERE subscriber_id = %(subscriber_id)s::uuid AND (attempt_id IS NOT NULL OR version IS NOT NULL)
), known AS (
  SELECT attempt_id,
         min(recorded_at) FILTER (WHERE what = 'attempt.in_call' OR outcome IN ('answered', 'machine')) AS answered_at,
         min(recorded_at) FILTER (WHERE what = 'attempt.ended') AS ended_at,
         min(recorded_at) FILTER (WHERE what IN ('attempt.in_call', 'attempt.ended')) AS rang_at,
         min(planned_at) FILTER (WHERE what = 'reminder.ringing') AS planned_at
    FROM event WHERE attempt_id IS NOT NULL GROUP BY attempt_id
), tried AS MATERIALIZED (
  SELECT a.*
    FROM reminders_reminder r
    JOIN reminders_attempt a ON a.reminder_id = r.id
   WHERE r.subscriber_id = %(subscriber_id)s::uuid
), newest AS (
  SELECT * FROM tried ORDER BY id DESC LIMIT %(attempts_max)s::int
)
SELECT told.at, told.recorded_at, told.what, a.reminder_id, NULL::int, a.id, told.detail, a.trace_context
  FROM newest a
  JOIN reminders_occurrence o ON o.id = a.occurrence_id
  LEFT JOIN known ON known.attempt_id = a.id
  LEFT JOIN billing_hold h ON h.id = a.id
  CROSS JOIN LATERAL (
    SELECT coalesce(known.planned_at::timestamptz, o.due_at),
           jsonb_build_object('carrier_sid', a.carrier_sid),
           jsonb_build_object('amount_minor', h.amount_minor, 'currency', h.currency)
  ) AS its (plan, call, hold)
  CROSS JOIN LATERAL (VALUES
    (a.intended_at, a.intended_at, 'attempt.intended',
     jsonb_build_object('attempt_number', a.number, 'occurrence', a.sequence, 'planned_at', its.plan,
                        'lateness_ms', (extract(epoch FROM a.intended_at - its.plan) * 1000)::bigint,
                        'wait_cause', a.wait_cause, 'carrier', a.carrier)),
    (a.ringing_at, known.rang_at, 'call.ringing',
     its.call || CASE WHEN o.rang_at = a.ringing_at THEN jsonb_build_object('lateness_ms', o.lateness_ms) ELSE '{}' END),
    (a.answered_at, least(a.words_at, known.answered_at), 'call.answered',
     its.call || jsonb_build_object('answered_by', a.answered_by)),
    (a.words_at, a.words_at, 'call.words_asked',
     its.call || jsonb_build_object('late', o.late, 'lateness_ms', o.lateness_ms, 'late_cause', o.late_cause)),
    (a.pressed_at, a.pressed_at, 'call.key_pressed', its.call || jsonb_build_object('pressed', a.pressed)),
    (a.call_ended_at, known.ended_at, 'call.ended',
     its.call || jsonb_build_object('status', a.call_status, 'seconds', a.duration_seconds)),
    (h.reserved_at, h.reserved_at, 'hold.reserved', its.hold),
    (h.ended_at, h.ended_at, 'hold.' || h.state, its.hold || jsonb_build_object('reason', h.reason))
  ) AS told (at, recorded_at, what, detail)
 WHERE told.at IS NOT NULL
