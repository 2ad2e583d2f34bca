-- An account's lines of some kinds, in the order in which they happened. Locks nothing.
-- entry_by_account finds the entries, the primary key their transactions.
SELECT
    made.occurred_at, made.kind, sum(entry.amount_minor)::bigint, made.evidence, made.key, made.id
FROM billing_entry AS entry
JOIN billing_account AS account ON account.id = entry.account_id AND account.currency = entry.currency
JOIN billing_ledgertransaction AS made ON made.id = entry.transaction_id
WHERE entry.account_id = %(account_id)s AND made.kind = ANY(%(kinds)s::text[])
GROUP BY made.id
ORDER BY made.occurred_at, made.id
