"""The charges of a batch of messages as one function: an intake that writes many by one statement charges within it.

The ledger's checks run once for each statement, and so once for a batch. Whoever calls it knows neither billing's
tables nor its accounts: those of new customers are opened on the way.
"""

from django.db import migrations

CHARGE = """
CREATE FUNCTION billing_charge_messages(charge_ids uuid[], accounts uuid[], buckets smallint[], opens boolean[],
                                        messages uuid[], amounts bigint[], money text[], proofs jsonb[],
                                        times timestamptz[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  charged int;
BEGIN
  IF true = ANY (opens) THEN
    INSERT INTO public.billing_account (id, bucket, currency, opened_at)
    SELECT id, bucket, currency, at FROM unnest(accounts, buckets, opens, money, times) AS a (id, bucket, open, currency, at)
     WHERE open
    ON CONFLICT (id) DO NOTHING;
  END IF;
  WITH charge AS (
    SELECT * FROM unnest(charge_ids, accounts, messages, amounts, money, proofs, times)
               AS c (id, account_id, message_id, amount_minor, currency, evidence, at)
  ), written AS (
    INSERT INTO public.billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    SELECT id, 'sms', message_id, at, evidence FROM charge
    ON CONFLICT (kind, key) DO NOTHING
    RETURNING id
  )
  INSERT INTO public.billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
  SELECT written.id, side.line, side.account_id, side.house, charge.currency, side.amount_minor
    FROM written
    JOIN charge ON charge.id = written.id
    CROSS JOIN LATERAL (
      VALUES (1::smallint, charge.account_id, NULL, -charge.amount_minor),
             (2::smallint, NULL::uuid, 'revenue:sms', charge.amount_minor)
    ) AS side (line, account_id, house, amount_minor);
  GET DIAGNOSTICS charged = ROW_COUNT;
  RETURN charged / 2;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_charge_message")]

    operations = [migrations.RunSQL(CHARGE, "DROP FUNCTION billing_charge_messages")]
