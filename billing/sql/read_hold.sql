-- What was reserved for an attempt, and what became of it. Locks nothing. Served by the primary key.
SELECT state, amount_minor, currency, reason FROM billing_hold WHERE id = %(attempt_id)s::uuid
