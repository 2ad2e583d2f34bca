-- What contradicts promise P4 in the ledger and the holds, also where a superuser went round the triggers.
-- Locks nothing; reads ledger and holds once each, joined by their primary keys and ledger_key_is_permanent.
WITH charge AS (
    SELECT made.id, made.key, made.evidence ->> 'attempt' AS attempt, refund.key IS NOT NULL AS reversed,
        sum(entry.amount_minor) AS amount_minor
    FROM billing_ledgertransaction AS made
    LEFT JOIN billing_ledgertransaction AS refund ON refund.kind = 'refund' AND refund.key = made.id
    LEFT JOIN billing_entry AS entry ON entry.transaction_id = made.id AND entry.account_id IS NOT NULL
    WHERE made.kind = 'call'
    GROUP BY made.id, refund.key
), found (kind, subject_kind, subject_id, detail) AS (
    SELECT 'unbalanced', 'transaction', transaction_id::text,
        jsonb_build_object('currency', currency, 'sum_minor', sum(amount_minor))
    FROM billing_entry GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
    UNION ALL
    SELECT 'no_entries', 'transaction', made.id::text, jsonb_build_object('kind', made.kind)
    FROM billing_ledgertransaction AS made
    WHERE NOT EXISTS (SELECT FROM billing_entry AS entry WHERE entry.transaction_id = made.id)
    UNION ALL
    SELECT 'entries_without_transaction', 'transaction', entry.transaction_id::text, '{}'
    FROM billing_entry AS entry
    WHERE NOT EXISTS (SELECT FROM billing_ledgertransaction AS made WHERE made.id = entry.transaction_id)
    GROUP BY entry.transaction_id
    UNION ALL
    SELECT 'charged_twice', kind, key::text, jsonb_build_object('times', count(*))
    FROM billing_ledgertransaction GROUP BY kind, key HAVING count(*) > 1
    UNION ALL
    SELECT 'no_evidence', 'transaction', id::text, jsonb_build_object('kind', kind)
    FROM billing_ledgertransaction
    WHERE (kind = 'sms' AND evidence ->> 'id' IS DISTINCT FROM key::text)
        OR (kind = 'call' AND evidence ->> 'attempt' IS NULL)
    UNION ALL
    SELECT 'other_currency', 'transaction', entry.transaction_id::text,
        jsonb_build_object('account', account.id, 'currency', entry.currency)
    FROM billing_entry AS entry
    JOIN billing_account AS account ON account.id = entry.account_id
    WHERE entry.currency <> account.currency
    UNION ALL
    SELECT 'refund_differs', 'transaction', refund.id::text, jsonb_build_object('charge', refund.key)
    FROM billing_ledgertransaction AS refund
    WHERE refund.kind = 'refund' AND (
        NOT EXISTS (
            SELECT FROM billing_ledgertransaction AS made WHERE made.id = refund.key AND made.kind IN ('sms', 'call')
        ) OR EXISTS (
            SELECT line, account_id, house, currency, -amount_minor FROM billing_entry
            WHERE transaction_id = refund.key
            EXCEPT ALL
            SELECT line, account_id, house, currency, amount_minor FROM billing_entry
            WHERE transaction_id = refund.id
        )
    )
    UNION ALL
    SELECT 'posted_hold_without_charge', 'attempt', hold.id::text, jsonb_build_object('occurrence', hold.occurrence_id)
    FROM billing_hold AS hold
    LEFT JOIN charge ON charge.key = hold.occurrence_id AND charge.attempt = hold.id::text
    WHERE hold.state = 'posted' AND charge.id IS NULL
    UNION ALL
    SELECT
        CASE
            WHEN hold.id IS NULL THEN 'call_charge_without_hold'
            WHEN hold.state = 'posted' THEN 'charge_differs_from_hold'
            ELSE hold.state || '_hold_is_charged'
        END,
        'transaction', charge.id::text, jsonb_build_object('attempt', charge.attempt, 'occurrence', charge.key)
    FROM charge
    LEFT JOIN billing_hold AS hold ON hold.id::text = charge.attempt AND hold.occurrence_id = charge.key
    WHERE hold.id IS NULL
        OR (hold.state <> 'posted' AND NOT charge.reversed)
        OR (hold.state = 'posted' AND charge.amount_minor IS DISTINCT FROM -hold.amount_minor)
    UNION ALL
    SELECT 'reserved_too_long', 'attempt', hold.id::text, jsonb_build_object('reserved_at', hold.reserved_at)
    FROM billing_hold AS hold
    WHERE hold.state = 'reserved' AND hold.reserved_at < %(reserved_before)s
)
SELECT kind, subject_kind, subject_id, detail
FROM found
ORDER BY kind, subject_id
LIMIT %(breaks_max)s::bigint
