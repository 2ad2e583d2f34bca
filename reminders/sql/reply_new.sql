-- An SMS that we send by ourselves, and the timer that sends it. Locks nothing that is there.
WITH reply AS (
  INSERT INTO reminders_reply (id, subscriber_id, bucket, reminder_id, kind, body, segments, state, carrier, created_at, trace_context)
  VALUES (%(reply_id)s::uuid, %(subscriber_id)s::uuid, %(bucket)s::smallint, %(reminder_id)s::uuid, %(kind)s::text,
          %(body)s::text, %(segments)s::smallint, 'intended', %(carrier)s::text, %(at)s::timestamptz, %(trace_context)s::text)
)
INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at)
VALUES (ringback_uuid7(), 'reply', %(reply_id)s::uuid, %(bucket)s::smallint, %(subscriber_id)s::uuid, now(), now())
