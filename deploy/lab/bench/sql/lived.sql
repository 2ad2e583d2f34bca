-- Reminders that were answered within the last week, as many for each of the first persons: everything that intake,
-- delivery, outcomes and billing write for one of them. Ids are of the moment at which they would have been made.
WITH person AS (
  SELECT id, account_id, bucket, reminders_made, row_number() OVER (ORDER BY number) - 1 AS position
    FROM reminders_subscriber ORDER BY number LIMIT %(persons)s::int
), chosen AS (
  SELECT person.*, reminders_made + 1 + n / %(persons)s::int AS nth,
         date_trunc('milliseconds', now() - make_interval(secs => 60 + random() * 604740)) AS at
    FROM generate_series(0, %(count)s::int - 1) AS n JOIN person ON person.position = n %% %(persons)s::int
), made AS MATERIALIZED (
  SELECT chosen.*, at + interval '15 seconds' AS due_at, at + interval '17 seconds' AS end_at,
         '00-' || md5(random()::text) || '-' || left(md5(random()::text), 16) || '-03' AS asked,
         '00-' || md5(random()::text) || '-' || left(md5(random()::text), 16) || '-03' AS rung,
         pg_temp.uuid7_of(at) AS message_id, pg_temp.uuid7_of(at) AS reminder_id, pg_temp.uuid7_of(at) AS occurrence_id,
         pg_temp.uuid7_of(at) AS reply_id, pg_temp.uuid7_of(at) AS sms_id,
         pg_temp.uuid7_of(at + interval '15 seconds') AS attempt_id, pg_temp.uuid7_of(at + interval '17 seconds') AS call_id
    FROM chosen
), message_key AS (
  INSERT INTO reminders_messagekey (id, carrier, carrier_sid, digest, outcome, received_at)
  SELECT message_id, 'twilio', 'SM' || replace(message_id::text, '-', ''), '\x00', 'reminder', at FROM made
), message AS (
  INSERT INTO reminders_message (id, subscriber_id, bucket, carrier, carrier_sid, body, segments, outcome, kind, reminder_id,
                                 received_at, recorded_at, trace_context)
  SELECT message_id, id, bucket, 'twilio', 'SM' || replace(message_id::text, '-', ''), 'Remind in 15 seconds about the pills',
         1, 'reminder', 'remind', reminder_id, at, at, asked FROM made
), reminder AS (
  INSERT INTO reminders_reminder (id, subscriber_id, bucket, number, subject, zone, language, state, version, due_at, attempts,
                                  tries, message_id, trace_context, created_at, ended_at)
  SELECT reminder_id, id, bucket, nth, 'the pills', 'America/New_York', 'en', 'answered', 3, due_at, 1, 1, message_id, asked,
         at, end_at FROM made
), occurrence AS (
  INSERT INTO reminders_occurrence (id, reminder_id, sequence, bucket, due_at, rang_at, lateness_ms, late, outcome, ended_at)
  SELECT occurrence_id, reminder_id, 1, bucket, due_at, due_at, 0, false, 'answered', end_at FROM made
), attempt AS (
  INSERT INTO reminders_attempt (id, reminder_id, occurrence_id, subscriber_id, bucket, sequence, number, state, intended_at,
                                 placed_at, carrier, carrier_sid, ringing_at, answered_at, words_at, call_ended_at, call_status,
                                 duration_seconds, pressed, pressed_at, outcome, ended_at, trace_context)
  SELECT attempt_id, reminder_id, occurrence_id, id, bucket, 1, 1, 'ended', due_at, due_at, 'twilio',
         'CA' || replace(attempt_id::text, '-', ''), due_at, end_at, end_at, end_at, 'answered', 1, '1', end_at, 'answered',
         end_at, rung FROM made
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, reminder_id, attempt_id, bucket, version, what, occurred_at, recorded_at,
                               detail, trace_context)
  SELECT pg_temp.uuid7_of(told.at), id, reminder_id, told.attempt_id, bucket, told.version, told.what, told.at, told.at,
         told.detail, told.trace_context
    FROM made CROSS JOIN LATERAL (VALUES
      (at, NULL::uuid, 1, 'reminder.scheduled', asked, ringback_facts('scheduled', 1, due_at, 1, 0, 0, NULL)
         || jsonb_build_object('number', nth, 'subject', 'the pills', 'zone', 'America/New_York', 'rrule', NULL)),
      (at + interval '0.1 seconds', NULL, NULL, 'reply.sent', asked,
         jsonb_build_object('reply', reply_id, 'carrier_sid', 'SM' || replace(reply_id::text, '-', ''))),
      (due_at, made.attempt_id, 2, 'reminder.ringing', rung,
         ringback_facts('ringing', 1, due_at, 1, 1, 0, NULL) || '{"worker": "worker-1"}'),
      (due_at, made.attempt_id, NULL, 'attempt.placed', rung,
         jsonb_build_object('carrier_sid', 'CA' || replace(made.attempt_id::text, '-', ''))),
      (end_at, made.attempt_id, NULL, 'attempt.ended', rung, '{"outcome": "answered"}'),
      (end_at, made.attempt_id, 3, 'reminder.answered', rung,
         ringback_facts('answered', 1, due_at, 1, 1, 1, end_at) || '{"outcome": "answered"}')
    ) AS told (at, attempt_id, version, what, trace_context, detail)
), reply AS (
  INSERT INTO reminders_reply (id, subscriber_id, bucket, message_id, reminder_id, kind, body, segments, state, carrier,
                               carrier_sid, created_at, handed_over_at, ended_at, trace_context)
  SELECT reply_id, id, bucket, message_id, reminder_id, 'confirmation', '#1 the pills: Reply DELETE 1 to remove.', 1, 'sent',
         'twilio', 'SM' || replace(reply_id::text, '-', ''), at, at, at + interval '0.1 seconds', asked FROM made
), hold AS (
  INSERT INTO billing_hold (id, occurrence_id, bucket, amount_minor, currency, state, reserved_at, ended_at, reason, account_id)
  SELECT attempt_id, occurrence_id, bucket, 10, 'USD', 'posted', due_at, end_at, 'answered', account_id FROM made
), charge AS (
  INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)
  SELECT sms_id, 'sms', message_id, at, jsonb_build_object('id', message_id, 'kind', 'message', 'tariff', 'standard-1',
         'segments', 1, 'sid', 'SM' || replace(message_id::text, '-', '')) FROM made
  UNION ALL
  SELECT call_id, 'call', occurrence_id, end_at, jsonb_build_object('kind', 'call', 'tariff', 'standard-1', 'attempt', attempt_id,
         'reminder', reminder_id, 'reminder_number', nth, 'duration_seconds', 1, 'pressed', '1',
         'carrier_sid', 'CA' || replace(attempt_id::text, '-', '')) FROM made
), entry AS (
  INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
  SELECT sms_id, 1, account_id, NULL, 'USD', -1 FROM made UNION ALL
  SELECT sms_id, 2, NULL, 'revenue:sms', 'USD', 1 FROM made UNION ALL
  SELECT call_id, 1, account_id, NULL, 'USD', -10 FROM made UNION ALL
  SELECT call_id, 2, NULL, 'revenue:call', 'USD', 10 FROM made
)
UPDATE reminders_subscriber s SET reminders_made = made.most
  FROM (SELECT id, max(nth) AS most FROM made GROUP BY id) AS made WHERE s.id = made.id
