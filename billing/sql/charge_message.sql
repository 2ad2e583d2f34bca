-- Charges an accepted message once for good: a row where it was, none where it had been before. Locks the customer's
-- account row FOR KEY SHARE (its foreign key); ledger_key_is_permanent serves the conflict.
SELECT charge.made FROM (
  SELECT billing_charge_message(%(charge_id)s::uuid, %(account_id)s::uuid, %(message_id)s::uuid, %(charge_minor)s::bigint,
                                %(charge_currency)s::text, %(charge_evidence)s::jsonb, %(at)s::timestamptz) AS made
) AS charge WHERE charge.made
