-- A message that asks for no reminder: a command, a refusal, or words that nobody understands. It is kept, and
-- answered where there is something to say; STOP, START, HELP and INFO are evidence of consent besides. The guard and the lock are those of intake_remind.sql.
WITH person AS (
  UPDATE reminders_subscriber
     SET version = version + 1, language = %(language)s::text, zone = coalesce(%(zone)s::text, zone),
         language_chosen = coalesce(%(language_chosen)s::boolean, language_chosen),
         held = %(held)s::jsonb, last_change = %(last_change)s::jsonb,
         stopped_at = greatest(stopped_at, %(stopped_at)s::timestamptz),
         started_at = greatest(started_at, %(started_at)s::timestamptz)
   WHERE id = %(subscriber_id)s::uuid AND version = %(version)s::int
  RETURNING id, bucket, account_id
), message_key AS (
  INSERT INTO reminders_messagekey (id, carrier, carrier_sid, digest, outcome, reply_id, received_at)
  SELECT %(message_id)s::uuid, %(carrier)s::text, %(carrier_sid)s::text, %(digest)s::bytea, %(outcome)s::text,
         %(reply_id)s::uuid, %(received_at)s::timestamptz FROM person
), message AS (
  INSERT INTO reminders_message (id, subscriber_id, bucket, carrier, carrier_sid, body, segments, outcome, kind,
                                 reminder_id, received_at, trace_context)
  SELECT %(message_id)s::uuid, id, bucket, %(carrier)s::text, %(carrier_sid)s::text, %(body)s::text,
         %(segments)s::smallint, %(outcome)s::text, %(kind)s::text, NULL, %(received_at)s::timestamptz,
         %(trace_context)s::text FROM person
), event AS (
  INSERT INTO reminders_event (id, subscriber_id, bucket, what, occurred_at, detail, trace_context)
  SELECT %(event_id)s::uuid, id, bucket, 'message.' || %(kind)s::text, %(received_at)s::timestamptz,
         %(event_detail)s::jsonb, %(trace_context)s::text FROM person
), consent AS (
  INSERT INTO reminders_event (id, subscriber_id, bucket, what, occurred_at, detail, trace_context)
  SELECT %(consent_event_id)s::uuid, id, bucket, 'consent.' || %(consent)s::text, %(received_at)s::timestamptz,
         jsonb_build_object('by', 'message', 'message', %(message_id)s::uuid), %(trace_context)s::text
    FROM person WHERE %(consent)s::text IS NOT NULL
), reply AS (
  INSERT INTO reminders_reply (id, subscriber_id, bucket, message_id, kind, body, segments, state, carrier,
                               created_at, handed_over_at, trace_context)
  SELECT %(reply_id)s::uuid, id, bucket, %(message_id)s::uuid, %(kind)s::text, %(reply_body)s::text,
         %(reply_segments)s::smallint, %(reply_state)s::text, %(carrier)s::text, %(received_at)s::timestamptz,
         %(reply_handed_over_at)s::timestamptz, %(trace_context)s::text FROM person WHERE %(reply_id)s::uuid IS NOT NULL
), timer AS (
  INSERT INTO reminders_timer (id, kind, key, bucket, subscriber_id, due_at, wake_at, made_late_at)
  SELECT %(reply_timer_id)s::uuid, 'reply', %(reply_id)s::uuid, bucket, id, %(reply_due_at)s::timestamptz,
         greatest(%(reply_due_at)s::timestamptz, now()),
         CASE WHEN %(reply_due_at)s::timestamptz < now() THEN now() END FROM person WHERE %(reply_id)s::uuid IS NOT NULL
)
SELECT id, CASE WHEN %(charge_id)s::uuid IS NOT NULL THEN
         billing_charge_message(%(charge_id)s::uuid, account_id, %(message_id)s::uuid, %(charge_minor)s::bigint,
                                   %(charge_currency)s::text, %(charge_evidence)s::jsonb, %(received_at)s::timestamptz)
       END AS charged
  FROM person
