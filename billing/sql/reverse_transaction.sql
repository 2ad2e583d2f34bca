-- Reverses one charge, once: every entry again with the other sign, under (refund, the charge's id).
-- Locks nothing that others write; primary keys and ledger_key_is_permanent serve it.
WITH reversal AS (
    INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    SELECT %(reversal_id)s, 'refund', charge.id, %(at)s, %(evidence)s
    FROM billing_ledgertransaction AS charge
    WHERE charge.id = %(transaction_id)s AND charge.kind IN ('sms', 'call')
    ON CONFLICT (kind, key) DO NOTHING
    RETURNING id, key
)
INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
SELECT reversal.id, entry.line, entry.account_id, entry.house, entry.currency, -entry.amount_minor
FROM reversal
JOIN billing_entry AS entry ON entry.transaction_id = reversal.key
