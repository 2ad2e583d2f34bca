-- Reverses the charge of a posted attempt, once. At most one hold per occurrence is posted
-- (hold_posted_once_per_occurrence), so the occurrence's charge is this attempt's.
-- Locks nothing that others write; primary keys and ledger_key_is_permanent serve it.
WITH reversal AS (
    INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    SELECT %(reversal_id)s, 'refund', charge.id, %(at)s, %(evidence)s
    FROM billing_hold AS hold
    JOIN billing_ledgertransaction AS charge ON charge.kind = 'call' AND charge.key = hold.occurrence_id
    WHERE hold.id = %(attempt_id)s AND hold.state = 'posted'
    ON CONFLICT (kind, key) DO NOTHING
    RETURNING id, key
)
INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
SELECT reversal.id, entry.line, entry.account_id, entry.house, entry.currency, -entry.amount_minor
FROM reversal
JOIN billing_entry AS entry ON entry.transaction_id = reversal.key
