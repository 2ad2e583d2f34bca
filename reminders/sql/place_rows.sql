-- Moves a month's rows out of the default partitions into its own (the owner's function: the services own nothing).
-- Locks the four default partitions against everybody until it commits, which bounds how many rows it may move.
SELECT ringback_place_rows(%(month)s::timestamptz, %(rows_max)s::int)
