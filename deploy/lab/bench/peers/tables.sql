-- The peers' own tables, in a database of their own on the same server: same disk, same fsync, same settings.
CREATE TABLE IF NOT EXISTS bench_text (
  id uuid PRIMARY KEY, sender text NOT NULL, body text NOT NULL, received_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS bench_job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number text NOT NULL, wake_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX IF NOT EXISTS bench_job_due ON bench_job (wake_at);
CREATE TABLE IF NOT EXISTS bench_outcome (
  id bigint PRIMARY KEY, sid text NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
