-- Every seal in the order of the days. Locks nothing; the primary key serves the order.
SELECT day_date, transactions, previous_hash, hash FROM billing_ledgerseal ORDER BY day_date
