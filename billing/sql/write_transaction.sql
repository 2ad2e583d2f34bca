-- Writes one ledger transaction with its two entries, once for good per (kind, key).
-- Locks the customer's account row FOR KEY SHARE (its foreign key) and nothing that others write;
-- waits only for another writer of the same key. ledger_key_is_permanent serves the conflict.
WITH written AS (
    INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    VALUES (%(transaction_id)s, %(kind)s, %(key)s, %(at)s, %(evidence)s)
    ON CONFLICT (kind, key) DO NOTHING
    RETURNING id
)
INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
SELECT written.id, side.line, side.account_id, side.house, %(currency)s, side.amount_minor
FROM written
CROSS JOIN (
    VALUES
        (1::smallint, %(account_id)s::uuid, NULL, %(amount_minor)s::bigint),
        (2::smallint, NULL, %(house)s::text, -%(amount_minor)s::bigint)
) AS side (line, account_id, house, amount_minor)
