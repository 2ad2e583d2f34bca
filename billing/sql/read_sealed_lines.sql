-- Every transaction of a span with its entries as one canonical line, in the order of the ids.
-- Locks nothing; ledger_by_recorded_at narrows it to the span's blocks. Times are seconds since 1970, so
-- that neither the session's time zone nor its date style changes a line.
SELECT jsonb_build_array(
    made.id, made.kind, made.key,
    extract(epoch FROM made.occurred_at), extract(epoch FROM made.recorded_at),
    made.evidence,
    (
        SELECT jsonb_agg(
            jsonb_build_array(entry.line, entry.account_id, entry.house, entry.currency, entry.amount_minor)
            ORDER BY entry.line
        )
        FROM billing_entry AS entry
        WHERE entry.transaction_id = made.id
    )
)::text
FROM billing_ledgertransaction AS made
WHERE made.recorded_at >= %(since)s AND made.recorded_at < %(until)s
ORDER BY made.id
