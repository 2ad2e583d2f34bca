-- What we texted to a person, newest first; what became of each follows as events. A reply keeps no time of its
-- recording: its id (UUIDv7) was made right before the write. Locks nothing. Served by reply_person.
SELECT created_at, to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0),
       CASE WHEN message_id IS NULL THEN 'reply.intended' ELSE 'reply.handed_over' END, reminder_id, NULL::int, NULL::uuid,
       jsonb_build_object('kind', kind, 'text', body, 'segments', segments, 'message', message_id, 'reply', id,
                          'state', state), trace_context
  FROM reminders_reply WHERE subscriber_id = %(subscriber_id)s::uuid
 ORDER BY id DESC LIMIT %(rows_max)s::int
