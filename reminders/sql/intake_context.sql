-- What intake needs to know of plain reminders, one row for each message in their order: an earlier delivery of it, and
-- the person. Locks nothing. Served by message_once, the subscriber's unique number and reminder_open.
SELECT k.message_id, k.digest, k.received_at, k.reply_id, s.*
  FROM json_to_recordset(%(asked)s::json) AS asked (place int, carrier text, carrier_sid text, number text)
  LEFT JOIN LATERAL (
    SELECT id AS message_id, digest, received_at, reply_id FROM reminders_messagekey
     WHERE carrier = asked.carrier AND carrier_sid = asked.carrier_sid LIMIT 1) k ON true
  LEFT JOIN LATERAL (
    SELECT p.id AS subscriber_id, account_id, bucket, zone, language, language_chosen, dayfirst, version,
           reminders_made, stopped_at, started_at,
           (SELECT count(*) FROM (SELECT 1 FROM reminders_reminder
              WHERE subscriber_id = p.id AND state IN ('scheduled', 'ringing') LIMIT %(open_limit)s::int) o) AS reminders_open
      FROM reminders_subscriber p WHERE number = asked.number LIMIT 1) s ON true
 ORDER BY asked.place
