-- What a person texted and what was understood, newest first. Locks nothing. Served by message_person.
SELECT received_at, recorded_at, 'message.received', reminder_id, NULL::int, NULL::uuid,
       jsonb_build_object('understood', kind, 'outcome', outcome, 'text', body, 'segments', segments,
                          'carrier_sid', carrier_sid, 'message', id), trace_context
  FROM reminders_message WHERE subscriber_id = %(subscriber_id)s::uuid
 ORDER BY id DESC LIMIT %(rows_max)s::int
