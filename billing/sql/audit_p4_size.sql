-- How many rows audit_p4 looks at. Locks nothing; reads both tables once.
SELECT (SELECT count(*) FROM billing_ledgertransaction) + (SELECT count(*) FROM billing_hold)
