-- After a restore: an SMS that this database believes unsent may have left since. It is looked up at the carrier first,
-- and sent where it is absent. Locks the replies in key order, then their timers. Served by timer_once (why the kind is
-- no constant: settle.sql).
WITH unsent AS (
  SELECT p.id FROM reminders_timer t JOIN reminders_reply p ON p.id = t.key
   WHERE t.kind = 'reply' AND p.state = 'intended' AND p.created_at <= %(before)s::timestamptz
   ORDER BY p.id FOR UPDATE OF p
), moved AS (
  UPDATE reminders_reply p
     SET state = 'handed_over', handed_over_at = coalesce(p.handed_over_at, p.created_at)
    FROM unsent WHERE p.id = unsent.id
  RETURNING p.*, 'reply' AS timer_kind
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, what, occurred_at, detail, trace_context)
  SELECT ringback_uuid7(), subscriber_id, reminder_id, bucket, 'reply.handed_over', now(),
         jsonb_build_object('reply', id, 'rebuilt', true), trace_context FROM moved
)
UPDATE reminders_timer t SET token = NULL, claims = 0 FROM moved WHERE t.kind = moved.timer_kind AND t.key = moved.id
