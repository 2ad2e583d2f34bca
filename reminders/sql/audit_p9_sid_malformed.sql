-- Proves that nothing stands in our books under an id that the carrier cannot have given. Locks nothing. Its length is
-- asked for apart: a regular expression with counted repeats takes five times as long.
SELECT found.kind, found.id::text, jsonb_build_object('characters', length(found.carrier_sid))
  FROM (SELECT 'message' AS kind, id, carrier_sid, %(message_sids)s::text AS known FROM reminders_messagekey
        UNION ALL SELECT 'attempt', id, carrier_sid, %(call_sids_known)s::text FROM reminders_attempt WHERE carrier_sid IS NOT NULL
        UNION ALL SELECT 'reply', id, carrier_sid, %(message_sids)s::text FROM reminders_reply WHERE carrier_sid IS NOT NULL)
    AS found
 WHERE length(found.carrier_sid) <> %(sid_characters)s::int OR found.carrier_sid !~ found.known
 ORDER BY found.kind, found.id LIMIT %(rows_max)s::int
