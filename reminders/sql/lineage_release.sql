-- A new lineage begins, which ends a quarantine. Locks nothing: called under lineage_lock.
INSERT INTO reminders_lineage (token, kind) VALUES (gen_random_uuid(), 'released') RETURNING token
