-- Takes up to %(wanted)s calls from the account's allowance (GCRA: a moment up to which it is spent, with one second
-- of burst). Locks the account's row for the length of this statement; one row an account, taken once a claim.
UPDATE reminders_pace p
   SET spent_until = greatest(p.spent_until, now() - interval '1 second')
                     + make_interval(secs => taken.calls / %(calls_per_second)s::float8)
  FROM (SELECT account, greatest(0, least(%(wanted)s::int, floor(
          extract(epoch FROM now() - greatest(spent_until, now() - interval '1 second'))
          * %(calls_per_second)s::float8)))::int AS calls
          FROM reminders_pace WHERE account = %(account)s::text FOR UPDATE) AS taken
 WHERE p.account = taken.account AND taken.calls > 0
RETURNING taken.calls
