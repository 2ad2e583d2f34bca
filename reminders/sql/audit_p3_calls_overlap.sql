-- Proves, by the carrier's own times (whole seconds), that nobody had two calls of ours at once. Locks nothing.
WITH call AS (
  SELECT c.sid, c.number, c.started_at, c.ended_at
    FROM unnest(%(call_sids)s::text[], %(call_numbers)s::text[], %(call_started)s::timestamptz[], %(call_ended)s::timestamptz[])
      AS c (sid, number, started_at, ended_at)
    JOIN reminders_carrierkey k ON k.carrier = %(carrier)s::text AND k.carrier_sid = c.sid
   WHERE c.started_at IS NOT NULL
)
SELECT 'call', later.sid, jsonb_build_object('other', earlier.sid)
  FROM call AS earlier
  JOIN call AS later ON later.number = earlier.number AND later.sid <> earlier.sid
   AND (later.started_at, later.sid) > (earlier.started_at, earlier.sid)
   AND later.started_at + interval '1 second' < coalesce(earlier.ended_at, 'infinity')
 ORDER BY later.sid LIMIT %(rows_max)s::int
