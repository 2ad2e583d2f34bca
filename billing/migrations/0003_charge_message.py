"""The charge of a message as a function: an intake that writes by one statement charges within it.

The function is billing's own door to the ledger; whoever calls it knows neither its tables nor its accounts.
"""

from django.db import migrations

CHARGE = """
CREATE FUNCTION billing_charge_message(charge_id uuid, account uuid, message uuid, amount bigint, money text,
                                       proof jsonb, at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  WITH written AS (
    INSERT INTO public.billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    VALUES (charge_id, 'sms', message, at, proof)
    ON CONFLICT (kind, key) DO NOTHING
    RETURNING id
  )
  INSERT INTO public.billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
  SELECT written.id, side.line, side.account_id, side.house, money, side.amount_minor
    FROM written
    CROSS JOIN (VALUES (1::smallint, account, NULL, -amount), (2::smallint, NULL, 'revenue:sms', amount))
      AS side (line, account_id, house, amount_minor);
  RETURN FOUND;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_append_only")]

    operations = [migrations.RunSQL(CHARGE, "DROP FUNCTION billing_charge_message")]
