-- The person says never again (key 9): no calls and no texts from now on. Evidence of consent withdrawn.
-- Locks the person: an intent takes a share lock on the same row, so none is made once this has committed.
WITH person AS (
  UPDATE reminders_subscriber SET stopped_at = greatest(stopped_at, %(at)s::timestamptz), version = version + 1
   WHERE id = %(subscriber_id)s::uuid RETURNING id, bucket
)
INSERT INTO reminders_event (id, subscriber_id, bucket, what, occurred_at, detail, trace_context)
SELECT ringback_uuid7(), id, bucket, 'consent.stopped', %(at)s::timestamptz, '{"by": "key_9"}', %(trace_context)s::text FROM person
