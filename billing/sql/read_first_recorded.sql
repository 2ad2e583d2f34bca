-- When the ledger begins. Locks nothing; reads the ledger once (only where no day is sealed, and to verify).
SELECT min(recorded_at) FROM billing_ledgertransaction
