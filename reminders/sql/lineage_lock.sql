-- One at a time declares a loss or releases: locks an advisory lock until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('ringback.lineage'))
