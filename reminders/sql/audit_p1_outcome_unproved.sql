-- Proves that a command was carried out, or a refusal decided: each such message has its event. Locks nothing.
SELECT 'message', m.id::text, jsonb_build_object('outcome', m.outcome, 'understood', m.kind)
  FROM reminders_message m
 WHERE m.outcome IN ('command', 'refused')
   AND NOT EXISTS (SELECT FROM reminders_event e
                    WHERE e.subscriber_id = m.subscriber_id AND e.what = 'message.' || m.kind
                      AND e.detail ->> 'message' = m.id::text)
 ORDER BY m.id LIMIT %(rows_max)s::int
