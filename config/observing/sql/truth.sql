-- What the rows say now, for the watch: one row of figures. Each is read from an index or a small table.
-- A timer is due until it is settled: one that failed (`claims`) wakes within its back-off, and each counts as long as
-- nobody finishes it: since it was due, or was made where it was due before.
-- Locks nothing. Served by timer_rings, timer_others, reminder_dead, break_open_once_per_subject, hold_reserved and the
-- ledger's primary key (UUIDv7: a range of time).
WITH rings AS MATERIALIZED (
  SELECT greatest(due_at, made_late_at) AS since FROM reminders_timer
   WHERE kind = 'ring' AND wake_at <= now() + make_interval(secs => %(rings_ahead_seconds)s::float8) AND due_at <= now()
     AND (wake_at <= now() OR token IS NOT NULL OR claims > 0) LIMIT 10000
), others AS MATERIALIZED (
  SELECT greatest(due_at, made_late_at) AS since FROM reminders_timer
   WHERE kind <> 'ring' AND wake_at <= now() + make_interval(secs => %(others_ahead_seconds)s::float8) AND due_at <= now()
     AND (wake_at <= now() OR token IS NOT NULL OR claims > 0) LIMIT 10000
)
SELECT extract(epoch FROM clock_timestamp())::float8 AS clock, inet_server_port() AS server,
       coalesce((SELECT extract(epoch FROM now() - min(since)) FROM rings), 0)::float8 AS oldest_due_seconds,
       (SELECT count(*) FROM rings) AS due_reminders,
       coalesce((SELECT extract(epoch FROM now() - min(since)) FROM others), 0)::float8 AS oldest_timer_seconds,
       (SELECT count(*) FROM reminders_opencall) AS open_calls,
       (SELECT count(*) FROM reminders_opencall c JOIN reminders_attempt a ON a.id = c.attempt_id
         WHERE a.state IN ('intended', 'unknown')
           AND a.intended_at < now() - make_interval(secs => %(unknown_seconds)s::float8)) AS outcomes_unknown,
       (SELECT count(*) FROM reminders_opencall
         WHERE opened_at < now() - make_interval(secs => %(call_seconds)s::float8)) AS calls_too_long,
       (SELECT count(*) FROM reminders_reminder WHERE state = 'dead') AS dead_letters,
       (SELECT count(*) FROM billing_break WHERE closed_at IS NULL) AS breaks_open,
       (SELECT count(*) FROM (SELECT FROM billing_hold WHERE state = 'reserved' LIMIT 10000) AS held) AS holds_reserved,
       (SELECT jsonb_object_agg(kind, coalesce(several, 0))
          FROM unnest(ARRAY['sms', 'call', 'credit', 'refund']) AS known (kind)
          LEFT JOIN (SELECT kind, count(*) AS several
                       FROM (SELECT kind FROM billing_ledgertransaction
                              WHERE id >= ringback_uuid7_at(now() - interval '1 minute') LIMIT 10000) AS each
                      GROUP BY kind) AS lately USING (kind)) AS ledger_lately,
       (SELECT count(*) FROM (SELECT FROM reminders_message_default UNION ALL SELECT FROM reminders_attempt_default
         UNION ALL SELECT FROM reminders_event_default UNION ALL SELECT FROM reminders_reply_default LIMIT 10000) AS strays)
         AS rows_unplaced,
       (SELECT count(*) FROM generate_series(1, 2) AS ahead
         WHERE to_regclass('reminders_event' || to_char(now() AT TIME ZONE 'UTC' + ahead * interval '1 month', '_YYYYMM'))
               IS NOT NULL) AS months_ahead,
       coalesce((SELECT max(extract(epoch FROM now() - coalesce(xact_start, query_start))) FROM pg_stat_activity
                  WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()), 0)::float8 AS oldest_snapshot_seconds,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::float8
         / (current_setting('max_connections')::float8 - current_setting('superuser_reserved_connections')::float8
            - coalesce(current_setting('reserved_connections', true), '0')::float8) AS connections_share,
       (SELECT count(*) FROM pg_stat_replication) AS standbys,
       coalesce((SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication), 0)::float8 AS replica_lag_seconds,
       (SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep') AS commits_begun,
       -- Each commit waits for a moment: those that are stuck have for longer.
       (SELECT count(*) FROM pg_stat_activity
         WHERE wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '2 seconds') AS commits_waiting
