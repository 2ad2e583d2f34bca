-- Opens a break once per kind and subject while it is open. Locks nothing that exists;
-- break_open_once_per_subject serves the conflict.
INSERT INTO billing_break (id, promise, kind, subject_kind, subject_id, detail, opened_at, note)
VALUES (%(break_id)s, %(promise)s, %(kind)s, %(subject_kind)s, %(subject_id)s, %(detail)s, %(at)s, '')
ON CONFLICT (kind, subject_kind, subject_id) WHERE closed_at IS NULL DO NOTHING
