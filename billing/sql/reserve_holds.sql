-- Reserves a batch of attempts. Locks the accounts FOR KEY SHARE; the primary key serves the conflict.
INSERT INTO billing_hold
    (id, occurrence_id, account_id, bucket, amount_minor, currency, state, reserved_at, reason)
SELECT attempt_id, occurrence_id, account_id, bucket, %(amount_minor)s::bigint, %(currency)s, 'reserved', at, ''
FROM unnest(
    %(attempt_ids)s::uuid[],
    %(occurrence_ids)s::uuid[],
    %(account_ids)s::uuid[],
    %(buckets)s::smallint[],
    %(times)s::timestamptz[]
) AS batch (attempt_id, occurrence_id, account_id, bucket, at)
ON CONFLICT (id) DO NOTHING
