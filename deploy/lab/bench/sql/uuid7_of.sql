-- An id of a moment in the past, for this session: what stands in the partition of that moment, and is like no other.
CREATE OR REPLACE FUNCTION pg_temp.uuid7_of(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
          || substr('89ab', 1 + floor(random() * 4)::int, 1) || substr(md5(random()::text), 1, 15))::uuid
$$
