-- After a restore: which of the carrier's calls are bound to an attempt, and how that stands. Locks nothing.
-- Served by carrier_once and the primary key.
SELECT k.carrier_sid, a.id, a.state
  FROM reminders_carrierkey k JOIN reminders_attempt a ON a.id = k.id
 WHERE k.carrier = %(carrier)s::text AND k.carrier_sid = ANY (%(sids)s::text[])
