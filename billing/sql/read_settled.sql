-- Until when the ledger is settled by the database's clock. Locks nothing, reads no table.
SELECT least(%(until)s::timestamptz, now() - %(settled_after)s::interval)
