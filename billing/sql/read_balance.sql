-- The balance of an account in its own currency. Locks nothing; entry_by_account serves it alone.
SELECT coalesce(sum(entry.amount_minor), 0)
FROM billing_account AS account
JOIN billing_entry AS entry ON entry.account_id = account.id AND entry.currency = account.currency
WHERE account.id = %(account_id)s
