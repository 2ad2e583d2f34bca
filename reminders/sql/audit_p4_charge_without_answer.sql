-- Proves that a call charge that was not given back is for a call that was answered, by the attempt that it names.
-- Locks nothing.
SELECT 'transaction', c.id::text, jsonb_build_object('occurrence', c.key, 'attempt', c.evidence ->> 'attempt',
                                                     'outcome', a.outcome)
  FROM billing_ledgertransaction c
  LEFT JOIN reminders_attempt a ON a.id::text = c.evidence ->> 'attempt' AND a.occurrence_id = c.key
 WHERE c.kind = 'call' AND a.outcome IS DISTINCT FROM 'answered'
   AND NOT EXISTS (SELECT FROM billing_ledgertransaction refund WHERE refund.kind = 'refund' AND refund.key = c.id)
 ORDER BY c.id LIMIT %(rows_max)s::int
