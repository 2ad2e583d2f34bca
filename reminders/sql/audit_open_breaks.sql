-- Breaks that the stages opened by themselves and that nobody has closed. Locks nothing.
SELECT promise, kind, subject_kind, subject_id, detail
  FROM billing_break WHERE closed_at IS NULL
 ORDER BY promise, kind, subject_id LIMIT %(rows_max)s::int
