-- Proves that an answered occurrence that was not late has its one charge. An answer that was proved after its hold was
-- voided may come too late to be charged; it has opened a break of its own. Locks nothing.
SELECT 'occurrence', a.occurrence_id::text, jsonb_build_object('attempt', max(a.id::text))
  FROM reminders_attempt a JOIN reminders_occurrence o ON o.id = a.occurrence_id
 WHERE a.outcome = 'answered' AND o.late IS NOT TRUE
   AND NOT EXISTS (SELECT FROM billing_ledgertransaction c WHERE c.kind = 'call' AND c.key = a.occurrence_id)
   AND NOT EXISTS (SELECT FROM billing_break b WHERE b.kind = 'answer_proved_late' AND b.subject_kind = 'attempt'
                      AND b.subject_id = a.id::text)
 GROUP BY a.occurrence_id
 ORDER BY a.occurrence_id LIMIT %(rows_max)s::int
