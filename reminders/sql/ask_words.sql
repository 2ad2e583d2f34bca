-- The words of an answered call are asked for: proof of an answer, and the moment at which "late or not" is decided
-- and stored, once for the occurrence; the words and the price read the same decision.
-- Locks the attempt, then the occurrence. Served by the primary keys and timer_once (why the kind is no constant: settle.sql).
-- What is not meant any more gets no words, so that its hang-up is no answer.
WITH meant AS (
  SELECT a.id FROM reminders_attempt a
    JOIN reminders_reminder r ON r.id = a.reminder_id AND r.state = 'ringing' AND r.sequence = a.sequence
    JOIN reminders_subscriber s ON s.id = a.subscriber_id AND (s.stopped_at IS NULL OR s.started_at > s.stopped_at)
   WHERE a.id = %(attempt_id)s::uuid
), attempt AS (
  UPDATE reminders_attempt
     SET answered_at = coalesce(answered_at, %(at)s::timestamptz),
         words_at = coalesce(words_at, CASE WHEN EXISTS (SELECT FROM meant) THEN %(at)s::timestamptz END),
         placed_at = coalesce(placed_at, now()),
         carrier_sid = coalesce(carrier_sid, %(carrier_sid)s::text),
         answered_by = coalesce(nullif(%(answered_by)s::text, 'unknown'), answered_by, %(answered_by)s::text),
         state = 'in_call'
   WHERE id = %(attempt_id)s::uuid AND state IN ('intended', 'placed', 'unknown', 'in_call')
     AND (carrier_sid IS NULL OR carrier_sid = %(carrier_sid)s::text)
  RETURNING *, 'look_up' AS timer_kind
), bound AS (
  INSERT INTO reminders_carrierkey (id, carrier, carrier_sid)
  SELECT id, carrier, carrier_sid FROM attempt WHERE carrier_sid IS NOT NULL
  ON CONFLICT DO NOTHING
), rang AS (
  -- Where the carrier has not said yet when it rang, it rang by now at the latest: in doubt it is late, says so, is free.
  SELECT o.id, coalesce(o.rang_at, a.ringing_at, %(at)s::timestamptz) AS rang_at, o.due_at, a.wait_cause
    FROM attempt a JOIN reminders_occurrence o ON o.id = a.occurrence_id
), occurrence AS (
  UPDATE reminders_occurrence o
     SET rang_at = rang.rang_at,
         lateness_ms = coalesce(o.lateness_ms, greatest(0, extract(epoch FROM rang.rang_at - o.due_at) * 1000)::bigint),
         late = coalesce(o.late, rang.rang_at - o.due_at > make_interval(secs => %(freshness_seconds)s::float8)),
         late_cause = coalesce(o.late_cause, rang.wait_cause)
    FROM rang WHERE o.id = rang.id
  RETURNING o.id, o.late, o.lateness_ms, o.due_at
), timer AS (
  UPDATE reminders_timer t SET due_at = later.at, wake_at = later.at, token = NULL, claims = 0
    FROM attempt, (SELECT now() + make_interval(secs => %(watch_seconds)s::float8)) AS later (at)
   WHERE t.kind = attempt.timer_kind AND t.key = attempt.id AND t.generation = 1
)
SELECT r.id, r.subject, r.language, r.zone, o.due_at, o.late, o.lateness_ms, a.answered_by
  FROM attempt a
  JOIN meant ON meant.id = a.id
  JOIN occurrence o ON o.id = a.occurrence_id
  JOIN reminders_reminder r ON r.id = a.reminder_id
