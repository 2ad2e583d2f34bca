-- reserved → voided for a batch. Locks the holds in primary-key order; the primary key serves it.
WITH held AS (
    SELECT id
    FROM billing_hold
    WHERE id = ANY(%(attempt_ids)s::uuid[]) AND state = 'reserved'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE billing_hold AS hold
SET state = 'voided', ended_at = %(at)s, reason = %(reason)s
FROM held
WHERE hold.id = held.id AND hold.state = 'reserved'
