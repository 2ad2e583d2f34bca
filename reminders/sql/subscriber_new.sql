-- A person who texts for the first time. A race with another message of theirs breaks the unique number: intake
-- then reads again. Locks nothing that is there. Served by the unique number.
INSERT INTO reminders_subscriber (id, number, bucket, account_id, zone, language, dayfirst, version, reminders_made, created_at)
VALUES (%(subscriber_id)s::uuid, %(number)s::text, %(bucket)s::smallint, %(account_id)s::uuid, %(zone)s::text,
        %(language)s::text, %(dayfirst)s::boolean, 0, 0, %(received_at)s::timestamptz)
