-- What intake needs to know before it decides about anything but a plain reminder: what intake_context.sql says, and
-- the person's open reminders, the one that rang last, those of their last change, and the message that was asked back.
-- Locks nothing. Served by message_once, the subscriber's number, reminder_open, reminder_number and primary keys.
SELECT k.id AS message_id, k.digest, k.received_at, k.reply_id,
       s.id AS subscriber_id, s.account_id, s.bucket, s.zone, s.language, s.language_chosen, s.dayfirst, s.version,
       s.reminders_made, s.stopped_at, s.started_at, s.held, s.last_change,
       (SELECT coalesce(json_agg(o ORDER BY o.due_at, o.number), '[]') FROM
          (SELECT id, number, subject, zone, due_at, state, version, rrule, rule_at, created_at FROM reminders_reminder
            WHERE subscriber_id = s.id AND state IN ('scheduled', 'ringing')
            ORDER BY due_at, number LIMIT %(open_limit)s::int) o) AS open_reminders,
       (SELECT row_to_json(rang) FROM
          (SELECT r.id, r.number, r.subject, r.zone, o.due_at, r.state, r.version, r.rrule, r.rule_at, r.created_at
             FROM reminders_reminder r JOIN reminders_occurrence o ON o.reminder_id = r.id
            WHERE r.subscriber_id = s.id AND r.state <> 'dead'
              AND (r.ended_at IS NULL OR r.ended_at > %(at)s::timestamptz - interval '1 day')
              AND o.rang_at > %(at)s::timestamptz - interval '1 day'
            ORDER BY o.rang_at DESC LIMIT 1) rang) AS rang,
       (SELECT coalesce(json_agg(c ORDER BY c.due_at, c.number), '[]') FROM
          (SELECT id, number, subject, zone, due_at, state, version, rrule, rule_at, created_at FROM reminders_reminder
            WHERE subscriber_id = s.id
              AND id IN (SELECT (one ->> 'id')::uuid FROM jsonb_array_elements(s.last_change -> 'reminders') AS one)) c) AS changed,
       (SELECT row_to_json(m) FROM
          (SELECT body, received_at FROM reminders_message WHERE id = (s.held ->> 'message')::uuid AND subscriber_id = s.id) m)
         AS held_message
  FROM (SELECT 1) AS one
  LEFT JOIN reminders_messagekey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = %(carrier_sid)s::text
  LEFT JOIN reminders_subscriber s ON s.number = %(number)s::text
