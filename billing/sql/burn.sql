-- Burns grants down by what was used, in one transaction of the ledger; the same as billing/ledger/burning.py.
-- Uses are told apart by the bounds of the grants, since a grant covers what happened while it was in force.
-- The transaction keeps by what its records are found: when they happened, and that they were stored with it.
CREATE OR REPLACE FUNCTION billing_burn(
    in_organization bigint, in_allowance text, in_moments timestamptz[], in_amounts numeric[], in_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    accounts bigint[];
    balances numeric[];
    starts timestamptz[];
    ends timestamptz[];
    bounds timestamptz[];
    taken numeric[];
    used record;
    need numeric;
    part numeric;
    consumed numeric := 0;
    beyond numeric := 0;
    movement bigint;
BEGIN
    IF NOT billing_ledger_lock(in_organization, in_allowance) THEN
        RETURN;
    END IF;
    SELECT array_agg(account.id ORDER BY held.priority, held.expires_at, held.id),
           array_agg(account.balance ORDER BY held.priority, held.expires_at, held.id),
           array_agg(held.effective_at ORDER BY held.priority, held.expires_at, held.id),
           array_agg(coalesce(held.expires_at, 'infinity') ORDER BY held.priority, held.expires_at, held.id)
    INTO accounts, balances, starts, ends
    FROM billing_grant AS held JOIN billing_ledgeraccount AS account ON account.grant_id = held.id
    WHERE held.organization_id = in_organization AND held.allowance = in_allowance AND account.balance > 0
      AND (held.expires_at IS NULL OR held.expires_at + {late} > in_now);
    SELECT coalesce(array_agg(DISTINCT bound ORDER BY bound), '{{}}') INTO bounds FROM unnest(starts || ends) AS bound;
    taken := array_fill(0::numeric, ARRAY[coalesce(cardinality(accounts), 0)]);
    FOR used IN
        SELECT min(moment) AS moment, sum(amount) AS amount FROM unnest(in_moments, in_amounts) AS u (moment, amount)
        WHERE amount > 0
        GROUP BY CASE WHEN bounds = '{{}}' THEN 0 ELSE width_bucket(moment, bounds) END ORDER BY 1
    LOOP
        consumed := consumed + used.amount;
        need := used.amount;
        FOR i IN 1..cardinality(taken) LOOP
            EXIT WHEN need = 0;
            CONTINUE WHEN used.moment < starts[i] OR used.moment >= ends[i];
            part := least(need, balances[i] - taken[i]);
            taken[i] := taken[i] + part;
            need := need - part;
        END LOOP;
        beyond := beyond + need;
    END LOOP;
    IF consumed = 0 THEN
        RETURN;
    END IF;
    INSERT INTO billing_ledgertransaction (
        organization_id, allowance, kind, posted_at, used_from, used_to, stored_at
    )
    SELECT in_organization, in_allowance, 'use', in_now, min(moment), max(moment) + interval '1 microsecond', now()
    FROM unnest(in_moments, in_amounts) AS u (moment, amount) WHERE amount > 0
    RETURNING id INTO movement;
    INSERT INTO billing_ledgerposting (organization_id, transaction_id, account_id, amount)
    SELECT in_organization, movement, account, amount FROM (
        SELECT account, -amount FROM unnest(accounts, taken) AS t (account, amount)
        UNION ALL
        SELECT account.id, CASE account.kind WHEN 'consumed' THEN consumed ELSE -beyond END
        FROM billing_ledgeraccount AS account
        JOIN organizations_organization AS organization ON organization.id = account.organization_id
        JOIN organizations_plan AS plan ON plan.id = organization.plan_id
        WHERE account.organization_id = in_organization AND account.allowance = in_allowance
          AND account.kind IN ('consumed', CASE WHEN plan.overage THEN 'overage' ELSE 'uncovered' END)
    ) AS posted (account, amount)
    WHERE amount <> 0;
END $$;

-- Burns grants down by what was stored, from its receipt (usage_store) and the moment at which it came.
CREATE OR REPLACE FUNCTION billing_burn_stored(in_organization bigint, in_receipt jsonb, in_now jsonb) RETURNS void
LANGUAGE plpgsql STRICT AS $$
DECLARE
    meter text;
    moments timestamptz[];
    amounts numeric[];
BEGIN
    -- One order for all senders: each ledger is locked while it is written.
    FOREACH meter IN ARRAY ARRAY['credits', 'quota'] LOOP
        CONTINUE WHEN NOT in_receipt ? meter;
        SELECT array_agg((used ->> 0)::timestamptz), array_agg((used ->> 1)::numeric) INTO moments, amounts
          FROM jsonb_array_elements(in_receipt -> meter) AS used;
        PERFORM billing_burn(in_organization, meter, moments, amounts, (in_now #>> '{{}}')::timestamptz);
    END LOOP;
END $$;
