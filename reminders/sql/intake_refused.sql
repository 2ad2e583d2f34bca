-- A message of a sender who has no number: its key alone, so that it is refused once and known for good.
-- Locks nothing that is there. Served by message_once.
INSERT INTO reminders_messagekey (id, carrier, carrier_sid, digest, outcome, received_at)
VALUES (%(message_id)s::uuid, %(carrier)s::text, %(carrier_sid)s::text, %(digest)s::bytea, 'refused', %(received_at)s::timestamptz)
ON CONFLICT (carrier, carrier_sid) DO NOTHING
