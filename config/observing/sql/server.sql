-- What the server says of itself, for the watch: whether it takes writes, and how many tables somebody has locked
-- against everybody. It reads none of our tables, so that it answers while they are locked. Locks nothing.
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS is_writable,
       (SELECT count(DISTINCT l.relation) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
         WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.database = c_db.oid AND c.relkind IN ('r', 'p')
           AND c.relnamespace = 'public'::regnamespace) AS tables_locked
  FROM pg_database c_db WHERE c_db.datname = current_database()
