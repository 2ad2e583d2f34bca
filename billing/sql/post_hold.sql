-- reserved → posted with the occurrence's charge; voided → posted where the proof comes within a day;
-- → voided (already_charged) where another attempt of the occurrence was charged first.
-- Locks the hold's row, then the key of the charge (a second attempt of the occurrence waits there).
-- Primary keys and ledger_key_is_permanent serve it. The move follows from whether the charge was written.
WITH held AS (
    SELECT
        id, occurrence_id, account_id, currency, amount_minor, state, reason, ended_at,
        CASE
            WHEN state = 'reserved' THEN 'post'
            WHEN state = 'posted' THEN 'repeated'
            WHEN reason = 'already_charged' THEN 'already_charged'
            WHEN reason = ANY(%(final_reasons)s::text[]) THEN 'free'
            WHEN ended_at + %(late_proof_max)s::interval <= %(at)s THEN 'too_late'
            ELSE 'post'
        END AS verdict
    FROM billing_hold
    WHERE id = %(attempt_id)s
    FOR NO KEY UPDATE
), charge AS (
    INSERT INTO billing_ledgertransaction (id, kind, key, occurred_at, evidence)
    SELECT
        %(transaction_id)s, 'call', occurrence_id, %(at)s,
        %(evidence)s::jsonb || CASE
            WHEN state = 'voided' THEN jsonb_build_object('late_proof', true, 'voided_as', reason, 'voided_at', ended_at)
            ELSE '{}'
        END
    FROM held
    WHERE verdict = 'post'
    ON CONFLICT (kind, key) DO NOTHING
    RETURNING id
), entries AS (
    INSERT INTO billing_entry (transaction_id, line, account_id, house, currency, amount_minor)
    SELECT charge.id, side.line, side.account_id, side.house, held.currency, side.amount_minor
    FROM charge
    CROSS JOIN held
    CROSS JOIN LATERAL (
        VALUES
            (1::smallint, held.account_id, NULL, -held.amount_minor),
            (2::smallint, NULL::uuid, 'revenue:call', held.amount_minor)
    ) AS side (line, account_id, house, amount_minor)
), moved AS (
    UPDATE billing_hold AS hold
    SET
        state = CASE WHEN EXISTS (SELECT FROM charge) THEN 'posted' ELSE 'voided' END,
        reason = CASE
            WHEN NOT EXISTS (SELECT FROM charge) THEN 'already_charged'
            WHEN held.state = 'voided' THEN 'late_proof'
            ELSE 'answered'
        END,
        ended_at = %(at)s
    FROM held
    WHERE hold.id = held.id AND held.verdict = 'post'
    RETURNING hold.state
)
SELECT
    CASE
        WHEN held.verdict <> 'post' THEN held.verdict
        WHEN EXISTS (SELECT FROM charge) THEN 'charged'
        ELSE 'already_charged'
    END,
    EXISTS (SELECT FROM moved),
    held.occurrence_id
FROM held
