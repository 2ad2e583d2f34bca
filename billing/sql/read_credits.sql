-- The credits of a span by their key. Locks nothing; ledger_by_recorded_at narrows it to the span's blocks.
SELECT made.key, sum(entry.amount_minor)::bigint
FROM billing_ledgertransaction AS made
JOIN billing_entry AS entry ON entry.transaction_id = made.id AND entry.account_id IS NOT NULL
WHERE made.kind = 'credit' AND made.recorded_at >= %(since)s AND made.recorded_at < %(until)s
GROUP BY made.key
