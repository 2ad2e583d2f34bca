-- Proves that a late call is free: no charge of it that was not given back. Locks nothing; ledger_key_is_permanent.
SELECT 'occurrence', o.id::text, jsonb_build_object('transaction', c.id, 'lateness_ms', o.lateness_ms)
  FROM reminders_occurrence o
  JOIN billing_ledgertransaction c ON c.kind = 'call' AND c.key = o.id
 WHERE o.late
   AND NOT EXISTS (SELECT FROM billing_ledgertransaction refund WHERE refund.kind = 'refund' AND refund.key = c.id)
 ORDER BY o.id LIMIT %(rows_max)s::int
