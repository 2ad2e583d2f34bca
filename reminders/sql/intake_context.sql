-- What intake needs to know of a plain reminder: an earlier delivery of this message, and the person.
-- Locks nothing. Served by message_once and the subscriber's unique number.
SELECT k.id AS message_id, k.digest, k.received_at, k.reply_id,
       s.id AS subscriber_id, s.account_id, s.bucket, s.zone, s.language, s.dayfirst, s.version,
       s.reminders_made, s.stopped_at, s.started_at,
       (SELECT count(*) FROM (SELECT 1 FROM reminders_reminder
          WHERE subscriber_id = s.id AND state IN ('scheduled', 'ringing') LIMIT %(open_limit)s::int) o) AS reminders_open
  FROM (SELECT 1) AS one
  LEFT JOIN reminders_messagekey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = %(carrier_sid)s::text
  LEFT JOIN reminders_subscriber s ON s.number = %(number)s::text
