-- Which of these messages have come in already. Served by message_once. Locks nothing.
SELECT carrier_sid FROM reminders_messagekey WHERE carrier = %(carrier)s::text AND carrier_sid = ANY (%(sids)s::text[])
