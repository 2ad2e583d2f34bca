-- A write that changes nothing: its commit waits for a standby, and so for every commit before it in the log. Nothing
-- is written where the server waits for no standby. Locks nothing.
SELECT CASE WHEN current_setting('synchronous_standby_names') <> ''
            THEN pg_logical_emit_message(true, 'ringback', 'prove') END
