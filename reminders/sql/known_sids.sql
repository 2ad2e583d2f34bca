-- Which of these ids of the carrier are bound to something of ours already. Served by carrier_once. Locks nothing.
SELECT carrier_sid, id FROM reminders_carrierkey WHERE carrier = %(carrier)s::text AND carrier_sid = ANY (%(sids)s::text[])
