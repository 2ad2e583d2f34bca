-- The person says never again (key 9): no calls and no texts from now on. Evidence of consent withdrawn, once for a call,
-- however often its key is told: a START since then stands. A row count of 0: it was written before.
-- Locks the person: an intent takes a share lock on the same row, so none is made once this has committed.
-- Served by the primary key and event_person (an event's id begins with its time).
WITH person AS (
  UPDATE reminders_subscriber s SET stopped_at = greatest(s.stopped_at, %(said_at)s::timestamptz), version = s.version + 1
   WHERE s.id = %(subscriber_id)s::uuid
     AND NOT EXISTS (SELECT FROM reminders_event e
                      WHERE e.subscriber_id = %(subscriber_id)s::uuid AND e.id >= ringback_uuid7_at(%(intended_at)s::timestamptz)
                        AND e.attempt_id = %(attempt_id)s::uuid AND e.what = 'consent.stopped')
  RETURNING s.id, s.bucket
)
INSERT INTO reminders_event (id, subscriber_id, attempt_id, bucket, what, occurred_at, detail, trace_context)
SELECT ringback_uuid7(), id, %(attempt_id)s::uuid, bucket, 'consent.stopped', %(at)s::timestamptz, '{"by": "key_9"}',
       %(trace_context)s::text FROM person
RETURNING id
