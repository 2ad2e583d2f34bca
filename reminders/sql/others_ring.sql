-- Whether the carrier took a call lately: of the newest thousand attempts at most.
-- Locks nothing. Served by the attempts' primary key, whose ids begin with their time.
SELECT EXISTS (SELECT FROM (SELECT placed_at FROM reminders_attempt
                             WHERE id >= ringback_uuid7_at(now() - make_interval(secs => %(seconds)s::float8))
                             ORDER BY id DESC LIMIT 1000) AS newest
                WHERE placed_at IS NOT NULL)
