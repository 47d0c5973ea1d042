-- The ledger: every movement is a transaction of postings that add up to zero, and nothing is ever taken back.

CREATE FUNCTION billing_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is immutable: % of % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['billing_ledgertransaction', 'billing_ledgerposting'] LOOP
        EXECUTE format('CREATE TRIGGER ledger_immutable BEFORE UPDATE OR DELETE ON %I
            FOR EACH ROW EXECUTE FUNCTION billing_ledger_refuse()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['billing_grant', 'billing_ledgeraccount', 'billing_ledgertransaction',
                                'billing_ledgerposting'] LOOP
        EXECUTE format('CREATE TRIGGER ledger_not_truncated BEFORE TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION billing_ledger_refuse()', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM {app}', name);
    END LOOP;
END $$;

-- A grant is what its first posting says; only that it was revoked, once, is added later.
GRANT UPDATE (revoked_at, granted_by_id) ON billing_grant TO {app};
CREATE FUNCTION billing_grant_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Who granted it may go away, with their account.
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR
       (to_jsonb(NEW) - '{{revoked_at,granted_by_id}}'::text[]) <> (to_jsonb(OLD) - '{{revoked_at,granted_by_id}}'::text[])
    THEN
        RAISE EXCEPTION 'a grant can only be revoked, once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grant_kept BEFORE UPDATE ON billing_grant FOR EACH ROW EXECUTE FUNCTION billing_grant_keep();
CREATE TRIGGER grant_stays BEFORE DELETE ON billing_grant FOR EACH ROW EXECUTE FUNCTION billing_ledger_refuse();

-- Holds every statement of postings to the rules and moves the balances, which nobody else can.
-- A transaction comes whole, in one statement.
CREATE FUNCTION billing_ledger_post() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY transaction_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the postings of a transaction must add up to zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_balanced';
    END IF;
    IF EXISTS (
        SELECT FROM added
        LEFT JOIN billing_ledgeraccount AS account ON account.id = added.account_id
        LEFT JOIN billing_ledgertransaction AS movement ON movement.id = added.transaction_id
        WHERE account.organization_id IS DISTINCT FROM added.organization_id
           OR movement.organization_id IS DISTINCT FROM added.organization_id
           OR account.allowance IS DISTINCT FROM movement.allowance
    ) THEN
        RAISE EXCEPTION 'a transaction stays within one organization''s ledger of one allowance'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_within';
    END IF;
    IF EXISTS (
        SELECT FROM billing_ledgerposting AS earlier
        WHERE earlier.transaction_id IN (SELECT transaction_id FROM added) AND earlier.id NOT IN (SELECT id FROM added)
    ) THEN
        RAISE EXCEPTION 'a transaction that was posted is complete'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_posting_complete';
    END IF;
    UPDATE billing_ledgeraccount AS account SET balance = account.balance + moved.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM added GROUP BY account_id) AS moved
    WHERE account.id = moved.account_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION billing_ledger_post() FROM PUBLIC;
CREATE TRIGGER ledger_posted AFTER INSERT ON billing_ledgerposting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION billing_ledger_post();

-- An account begins empty: what is in it is what was posted.
CREATE FUNCTION billing_ledger_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.balance := 0;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_account_empty BEFORE INSERT ON billing_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION billing_ledger_open();
CREATE TRIGGER ledger_account_stays BEFORE DELETE ON billing_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION billing_ledger_refuse();

-- Makes everybody who moves amounts of this ledger take turns; false where nothing was ever granted.
CREATE FUNCTION billing_ledger_lock(in_organization bigint, in_allowance text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM billing_ledgeraccount
    WHERE organization_id = in_organization AND allowance = in_allowance AND kind = 'consumed' FOR UPDATE;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION billing_ledger_lock(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION billing_ledger_lock(bigint, text) TO {app};
