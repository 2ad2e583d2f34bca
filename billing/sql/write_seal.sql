-- Seals one day, once. Locks nothing that exists; the primary key serves the conflict.
INSERT INTO billing_ledgerseal (day_date, transactions, previous_hash, hash, sealed_at)
VALUES (%(day_date)s, %(transactions)s::bigint, %(previous_hash)s, %(hash)s, now())
ON CONFLICT DO NOTHING
