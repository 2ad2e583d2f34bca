-- Opens an account, once. Locks nothing that exists; the primary key serves the conflict.
INSERT INTO billing_account (id, bucket, currency, opened_at)
VALUES (%(account_id)s, %(bucket)s::smallint, %(currency)s, %(at)s)
ON CONFLICT (id) DO NOTHING
