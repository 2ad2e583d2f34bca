"""What the ledger refuses: unbalanced, empty, reopened, changed, removed. And what the application may not.

A transaction and its entries are written by one statement (a WITH that inserts both): the checks run at the
end of each statement over what it inserted, once, however many rows it wrote. That is stricter than a
deferred check at commit, and costs less. Entries are never added later: `made_by` is the id of the database
transaction, and `recorded_at` its start, since ids begin again in another cluster after a logical restore.
Names are qualified, so that a temporary table of the same name fools nobody.
"""

from django.db import migrations

CHECKS = """
CREATE FUNCTION billing_check_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written
        WHERE written.made_by <> pg_current_xact_id() OR written.recorded_at <> transaction_timestamp()
    ) THEN
        RAISE EXCEPTION 'ledger: a transaction tells when it was made only as the database says'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_made_now';
    END IF;
    IF EXISTS (
        SELECT FROM written
        WHERE NOT EXISTS (SELECT FROM public.billing_entry AS entry WHERE entry.transaction_id = written.id)
    ) THEN
        RAISE EXCEPTION 'ledger: a transaction is written together with its entries'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_has_entries';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION billing_check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger: entries do not sum to zero per currency'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_sums_to_zero';
    END IF;
    IF EXISTS (
        SELECT FROM written
        LEFT JOIN public.billing_ledgertransaction AS made ON made.id = written.transaction_id
        WHERE made.made_by IS DISTINCT FROM pg_current_xact_id()
            OR made.recorded_at <> transaction_timestamp()
    ) THEN
        RAISE EXCEPTION 'ledger: entries belong to a transaction that is made with them'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_entries_are_not_added_later';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION billing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % is refused, the ledger is append-only; reverse instead', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_is_append_only';
END $$;
"""

TRIGGERS = """
CREATE TRIGGER billing_check_transactions AFTER INSERT ON billing_ledgertransaction
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing_check_transactions();
CREATE TRIGGER billing_check_entries AFTER INSERT ON billing_entry
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing_check_entries();
"""

APPEND_ONLY_TABLES = ("billing_ledgertransaction", "billing_entry", "billing_ledgerseal")


def _refuse_change(table: str) -> str:
    return f"""
CREATE TRIGGER billing_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_change();
"""


REVOKES = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ringback_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER
            ON billing_ledgertransaction, billing_entry, billing_ledgerseal FROM ringback_app;
        REVOKE DELETE, TRUNCATE, REFERENCES, TRIGGER
            ON billing_account, billing_hold, billing_break FROM ringback_app;
    END IF;
END $$;
"""

UNDO = (
    "".join(f"DROP TRIGGER billing_refuse_change ON {table};" for table in APPEND_ONLY_TABLES)
    + """
DROP TRIGGER billing_check_entries ON billing_entry;
DROP TRIGGER billing_check_transactions ON billing_ledgertransaction;
DROP FUNCTION billing_check_transactions(), billing_check_entries(), billing_refuse_change();
"""
)


class Migration(migrations.Migration):
    dependencies = (("billing", "0001_initial"),)
    operations = (
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.RunSQL(CHECKS + TRIGGERS + "".join(map(_refuse_change, APPEND_ONLY_TABLES)), UNDO),
        migrations.RunSQL(REVOKES, migrations.RunSQL.noop),
    )
