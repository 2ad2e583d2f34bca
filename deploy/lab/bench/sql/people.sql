-- Persons that are not there yet, each with an account. `wanted` holds numbers and buckets.
WITH made AS (
  SELECT ringback_uuid7() AS account_id, ringback_uuid7() AS subscriber_id, number, bucket
    FROM wanted WHERE NOT EXISTS (SELECT FROM reminders_subscriber s WHERE s.number = wanted.number)
), account AS (
  INSERT INTO billing_account (id, bucket, currency, opened_at)
  SELECT account_id, bucket, 'USD', now() FROM made
)
INSERT INTO reminders_subscriber (id, number, bucket, account_id, zone, language, dayfirst, version, reminders_made, created_at)
SELECT subscriber_id, number, bucket, account_id, 'America/New_York', 'en', false, 0, 0, now() FROM made
