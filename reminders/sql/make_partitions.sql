-- Makes the partitions of the months ahead (the owner's function: the services own nothing).
-- Locks the parent tables where one is missing, for as long as an empty table takes to attach.
SELECT ringback_make_partitions(%(since)s::timestamptz, %(months)s::int)
