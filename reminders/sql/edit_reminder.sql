-- Other words for a reminder that waits: EDIT, and UNDO of it. The guard is its version and state, as they were read.
-- Locks the reminder (the person is locked before by intake_record). Served by the primary key.
WITH moved AS (
  UPDATE reminders_reminder r SET subject = %(subject)s::text, version = r.version + 1
   WHERE r.id = %(reminder_id)s::uuid AND r.version = %(version)s::int AND r.state = 'scheduled'
  RETURNING r.*
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, bucket, version, what, occurred_at, detail, trace_context)
  SELECT %(event_id)s::uuid, subscriber_id, id, bucket, version, 'reminder.edited', %(at)s::timestamptz,
         ringback_facts(state, sequence, due_at, generation, attempts, tries, ended_at)
           || jsonb_build_object('message', %(message_id)s::text, 'subject', subject), %(trace_context)s::text FROM moved
)
SELECT id FROM moved
