-- Which attempt a call of the carrier's is. Locks nothing. Served by carrier_once.
SELECT id FROM reminders_carrierkey WHERE carrier = %(carrier)s::text AND carrier_sid = %(carrier_sid)s::text
