-- Spend limits: what moves them, and under which locks. See docs/adr for why this is enough.
--
-- Everything here runs READ COMMITTED and is VOLATILE: each statement of a function sees what was committed when that
-- statement began, so what was waited for is seen. The locks are taken in one order everywhere:
--   1. the organization's spending (advisory): shared by whoever spends, asks or moves windows; alone to whoever
--      sets or removes a limit and has to know that nothing is spent meanwhile;
--   2. rows of billing_spend_limit: the organization's, then those of credentials by their ids;
--   3. rows of billing_reservation, by their ids.
-- Windows come from outside, where the calendars are: the start and end of the rolling window, then of the week.

CREATE FUNCTION billing_spending(in_organization bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN hashtextextended('spend limits', in_organization);

-- Holds the limits that apply to these credentials until the transaction ends; true when there are any.
CREATE FUNCTION billing_hold_limits(in_organization bigint, in_credentials bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing_spend_limit
      WHERE organization_id = in_organization AND (credential_id IS NULL OR credential_id = ANY (in_credentials))
      ORDER BY credential_id NULLS FIRST FOR NO KEY UPDATE;
    RETURN FOUND;
END $$;

-- Writes down what happened to a limit, with its figures.
CREATE FUNCTION billing_note(
    l billing_spend_limit, in_kind text, in_moment timestamptz, in_threshold integer DEFAULT NULL
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO billing_decision (
        organization_id, credential_id, kind, decided_at, threshold, limit_nanos, window_kind, enforcement,
        window_start, window_end, spent_nanos, reserved_nanos
    ) VALUES (
        l.organization_id, l.credential_id, in_kind, in_moment, in_threshold, l.limit_nanos, l.window_kind,
        l.enforcement, l.window_start, l.window_end, l.spent_nanos, l.reserved_nanos
    );
$$;

-- Moves a limit's window on, and adds up what was spent in it. What is dated a little ahead counts at once.
CREATE FUNCTION billing_roll(l billing_spend_limit, in_windows timestamptz[]) RETURNS billing_spend_limit
LANGUAGE plpgsql AS $$
DECLARE
    place integer := CASE l.window_kind WHEN 'week' THEN 3 ELSE 1 END;
BEGIN
    IF l.window_kind = 'week' AND in_windows[place] >= l.window_end THEN
        l.warned := ARRAY[]::smallint[];
    END IF;
    l.window_start := in_windows[place];
    l.window_end := in_windows[place + 1];
    SELECT coalesce(sum(cost_nanos), 0) INTO l.spent_nanos
      FROM billing_spend_bucket WHERE limit_id = l.id AND quarter >= l.window_start;
    RETURN l;
END $$;

-- Says what a limit's figures mean: the shares reached, each announced once, and whether calls go ahead.
-- A share can be announced again when the spend has been five points below it, or in a new week.
CREATE FUNCTION billing_judge(l billing_spend_limit, in_moment timestamptz) RETURNS billing_spend_limit
LANGUAGE plpgsql AS $$
DECLARE
    hundredfold numeric := l.spent_nanos * 100;
    threshold smallint;
    stopped boolean := l.enforcement = 'pause' AND l.spent_nanos >= l.limit_nanos;
BEGIN
    IF cardinality(l.warned) > 0 THEN
        l.warned := ARRAY(
            SELECT w FROM unnest(l.warned) AS w WHERE hundredfold >= (w - 5) * l.limit_nanos::numeric ORDER BY w
        );
    END IF;
    FOR threshold IN
        -- A limit that only warns does so at the whole of it, whatever else was asked for.
        SELECT DISTINCT w FROM unnest(l.warn_at || CASE l.enforcement WHEN 'warn' THEN 100::smallint END) AS w
         WHERE hundredfold >= w * l.limit_nanos::numeric AND w <> ALL (l.warned) ORDER BY w
    LOOP
        l.warned := l.warned || threshold;
        PERFORM billing_note(l, 'warned', in_moment, threshold);
    END LOOP;
    IF stopped AND l.state = 'open' THEN
        l.state := 'paused';
        l.paused_at := in_moment;
        PERFORM billing_note(l, 'paused', in_moment);
    ELSIF l.state = 'paused' AND NOT stopped THEN
        l.state := 'open';
        l.paused_at := NULL;
        PERFORM billing_note(l, 'resumed', in_moment);
    END IF;
    RETURN l;
END $$;

-- Stores a limit's figures.
CREATE FUNCTION billing_keep_figures(l billing_spend_limit) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_spend_limit SET
        state = l.state, paused_at = l.paused_at, warned = l.warned, window_start = l.window_start,
        window_end = l.window_end, spent_nanos = l.spent_nanos, reserved_nanos = l.reserved_nanos
    WHERE id = l.id;
END $$;

-- Ends the holds that are over, of one credential or, without one, of the organization; returns how many.
-- An organization's own limit, where there is one, is held first by all: nobody can then wait in a ring.
CREATE FUNCTION billing_expire(in_organization bigint, in_credential bigint, in_moment timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    owners bigint[];
    due uuid[];
    ended integer;
BEGIN
    SELECT array_agg(DISTINCT credential_id), array_agg(id) INTO owners, due FROM billing_reservation
     WHERE organization_id = in_organization AND state = 'held' AND expires_at <= in_moment
       AND (in_credential IS NULL OR credential_id = in_credential);
    IF due IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM billing_hold_limits(in_organization, owners);
    PERFORM FROM billing_reservation WHERE id = ANY (due) ORDER BY id FOR NO KEY UPDATE;
    WITH over AS (
        UPDATE billing_reservation SET state = 'expired', ended_at = expires_at
         WHERE id = ANY (due) AND state = 'held'
         RETURNING credential_id, amount_nanos
    ), freed AS (
        UPDATE billing_spend_limit l SET reserved_nanos = l.reserved_nanos - (
            SELECT coalesce(sum(amount_nanos), 0) FROM over
             WHERE l.credential_id IS NULL OR over.credential_id = l.credential_id
        )
        WHERE l.organization_id = in_organization AND (l.credential_id IS NULL OR l.credential_id = ANY (owners))
    )
    SELECT count(*) INTO ended FROM over;
    RETURN ended;
END $$;

-- Counts what a transaction has stored: costs by credential and quarter-hour, and the reservations that it settles.
-- Called in the transaction that stores the records, as its last act, since the limits stay held until its end.
CREATE FUNCTION billing_charge(
    in_organization bigint, in_moment timestamptz, in_windows timestamptz[],
    in_credentials bigint[], in_quarters timestamptz[], in_costs numeric[],
    in_reservations uuid[], in_settled numeric[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    owners bigint[] := in_credentials;
    known uuid[];
    freed_of bigint[];
    freed numeric[];
    l billing_spend_limit;
BEGIN
    IF coalesce(cardinality(in_credentials), 0) + coalesce(cardinality(in_reservations), 0) = 0 THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(billing_spending(in_organization));
    IF cardinality(in_reservations) > 0 THEN
        SELECT array_agg(id), owners || array_agg(credential_id) INTO known, owners
          FROM billing_reservation WHERE organization_id = in_organization AND id = ANY (in_reservations);
        owners := coalesce(owners, in_credentials);
    END IF;
    IF NOT billing_hold_limits(in_organization, owners) AND known IS NULL THEN
        RETURN;
    END IF;
    IF known IS NOT NULL THEN
        PERFORM FROM billing_reservation WHERE id = ANY (known) ORDER BY id FOR NO KEY UPDATE;
        WITH used AS (
            SELECT id, sum(cost) AS cost FROM unnest(in_reservations, in_settled) AS u (id, cost) GROUP BY id
        ), before AS (
            SELECT id, credential_id, amount_nanos FROM billing_reservation WHERE id = ANY (known) AND state = 'held'
        ), settled AS (
            UPDATE billing_reservation r SET
                settled_nanos = r.settled_nanos + used.cost,
                state = CASE r.state WHEN 'held' THEN 'settled' ELSE r.state END,
                ended_at = CASE r.state WHEN 'held' THEN in_moment ELSE r.ended_at END
              FROM used WHERE r.id = used.id AND r.id = ANY (known)
        )
        SELECT array_agg(credential_id), array_agg(amount_nanos) INTO freed_of, freed FROM before;
    END IF;
    FOR l IN
        SELECT * FROM billing_spend_limit
         WHERE organization_id = in_organization AND (credential_id IS NULL OR credential_id = ANY (owners))
         ORDER BY credential_id NULLS FIRST
    LOOP
        l.spent_nanos := l.spent_nanos + billing_add(l, in_moment, in_credentials, in_quarters, in_costs);
        l.reserved_nanos := l.reserved_nanos - (
            SELECT coalesce(sum(amount), 0) FROM unnest(freed_of, freed) AS f (credential, amount)
             WHERE l.credential_id IS NULL OR credential = l.credential_id
        );
        IF in_moment >= l.window_end THEN
            l := billing_roll(l, in_windows);
        END IF;
        PERFORM billing_keep_figures(billing_judge(l, in_moment));
    END LOOP;
END $$;

-- Counts what was stored, from its receipt (usage_store) and a note: the moment, and the windows it is in.
CREATE FUNCTION billing_charge_stored(in_organization bigint, in_receipt jsonb, in_note jsonb) RETURNS void
LANGUAGE plpgsql STRICT AS $$
DECLARE
    windows timestamptz[] := ARRAY(SELECT w::timestamptz FROM jsonb_array_elements_text(in_note -> 'windows') AS w);
    credentials bigint[];
    quarters timestamptz[];
    costs numeric[];
    reservations uuid[];
    settled numeric[];
BEGIN
    SELECT array_agg((c ->> 0)::bigint), array_agg((c ->> 1)::timestamptz), array_agg((c ->> 2)::numeric)
      INTO credentials, quarters, costs FROM jsonb_array_elements(in_receipt -> 'costs') AS c;
    -- What does not look like a reservation's id was never given out as one.
    SELECT array_agg(substr(r ->> 0, 5)::uuid), array_agg((r ->> 1)::numeric)
      INTO reservations, settled FROM jsonb_array_elements(in_receipt -> 'reservations') AS r
     WHERE r ->> 0 ~ '^res_[0-9a-f]{{32}}$';
    PERFORM billing_charge(
        in_organization, (in_note ->> 'moment')::timestamptz, windows,
        coalesce(credentials, ARRAY[]::bigint[]), coalesce(quarters, ARRAY[]::timestamptz[]),
        coalesce(costs, ARRAY[]::numeric[]), reservations, settled
    );
END $$;

-- Adds costs to a limit's quarter-hours, and returns what of them lies in its window. Sixteen days are kept, more
-- than any window reaches back in any zone, so that a window can be moved or its kind changed without a look back.
CREATE FUNCTION billing_add(
    l billing_spend_limit, in_moment timestamptz, in_credentials bigint[], in_quarters timestamptz[], in_costs numeric[]
) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    within numeric;
BEGIN
    WITH mine AS (
        SELECT quarter, sum(cost) AS cost FROM unnest(in_credentials, in_quarters, in_costs) AS c (credential, quarter, cost)
         WHERE (l.credential_id IS NULL OR credential = l.credential_id) AND cost > 0
           AND quarter >= in_moment - interval '384 hours'
         GROUP BY quarter
    ), added AS (
        INSERT INTO billing_spend_bucket AS b (limit_id, quarter, organization_id, cost_nanos)
        SELECT l.id, quarter, l.organization_id, cost FROM mine
        ON CONFLICT (limit_id, quarter) DO UPDATE SET cost_nanos = b.cost_nanos + excluded.cost_nanos
    )
    SELECT coalesce(sum(cost), 0) INTO within FROM mine WHERE quarter >= l.window_start;
    RETURN within;
END $$;

-- When an amount would fit under a limit, if nothing more were spent and nothing held; null: never.
CREATE FUNCTION billing_fits_at(l billing_spend_limit, in_amount numeric) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    most numeric := l.limit_nanos - greatest(in_amount, 1);
BEGIN
    IF most < 0 THEN
        RETURN NULL;
    ELSIF l.window_kind = 'week' THEN
        RETURN l.window_end;
    END IF;
    RETURN (
        SELECT min(quarter) + interval '168 hours 15 minutes' FROM (
            SELECT quarter, l.spent_nanos - sum(cost_nanos) OVER (ORDER BY quarter) AS rest
              FROM billing_spend_bucket WHERE limit_id = l.id AND quarter >= l.window_start
        ) AS leaving WHERE rest <= most
    );
END $$;

-- May a call go ahead? With an amount, that amount is held if every limit has room for it: all or nothing.
-- Without one nothing is written, and nothing locked. The scope is opened here, for a caller who comes by the door
-- in the same statement; whoever is not entitled gets no further.
-- Reasons: unpriced; reached (by what was spent); full (by what was spent and is held); revoked.
CREATE FUNCTION billing_authorize(
    in_entitled boolean, in_organization bigint, in_credential bigint, in_named boolean, in_amount bigint,
    in_unpriced boolean, in_reservation uuid, in_moment timestamptz, in_expires timestamptz, in_windows timestamptz[],
    OUT allowed boolean, OUT limited boolean, OUT reason text, OUT whole boolean, OUT limit_nanos bigint,
    OUT spent_nanos numeric, OUT reserved_nanos numeric, OUT remaining_nanos numeric, OUT until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    l billing_spend_limit;
    rest numeric;
    verdict text;
    ends timestamptz;
BEGIN
    allowed := false;
    IF NOT in_entitled THEN
        RETURN;
    END IF;
    PERFORM set_config('headroom.organization_id', in_organization::text, true);
    IF in_named THEN
        PERFORM FROM organizations_credential WHERE id = in_credential AND revoked_at IS NULL;
        IF NOT FOUND THEN
            reason := 'revoked';
            RETURN;
        END IF;
    END IF;
    IF in_amount > 0 THEN
        PERFORM pg_advisory_xact_lock_shared(billing_spending(in_organization));
        -- The usual case in one statement: one limit applies, its window is the present one, and the amount fits.
        WITH found AS (
            UPDATE billing_spend_limit AS one SET reserved_nanos = one.reserved_nanos + in_amount
             WHERE one.organization_id = in_organization
               AND (one.credential_id IS NULL OR one.credential_id = in_credential)
               AND in_moment < one.window_end
               AND (one.enforcement = 'warn' OR (
                   NOT in_unpriced AND one.spent_nanos + one.reserved_nanos + in_amount <= one.limit_nanos
               ))
               AND NOT EXISTS (
                   SELECT FROM billing_spend_limit AS other
                    WHERE other.organization_id = in_organization AND other.id <> one.id
                      AND (other.credential_id IS NULL OR other.credential_id = in_credential)
               )
            RETURNING one.*
        ), made AS (
            INSERT INTO billing_reservation (
                id, organization_id, credential_id, amount_nanos, state, created_at, expires_at, settled_nanos
            )
            SELECT in_reservation, in_organization, in_credential, in_amount, 'held', in_moment, in_expires, 0
              FROM found
        )
        SELECT * INTO l FROM found;
        IF FOUND THEN
            allowed := true;
            limited := true;
            whole := l.credential_id IS NULL;
            limit_nanos := l.limit_nanos;
            spent_nanos := l.spent_nanos;
            reserved_nanos := l.reserved_nanos;
            remaining_nanos := greatest(l.limit_nanos - l.spent_nanos - l.reserved_nanos, 0);
            RETURN;
        END IF;
        PERFORM billing_hold_limits(in_organization, ARRAY[in_credential]);
    END IF;
    FOR attempt IN 1..2 LOOP
        allowed := true;
        limited := false;
        remaining_nanos := NULL;
        FOR l IN
            SELECT * FROM billing_spend_limit
             WHERE organization_id = in_organization AND (credential_id IS NULL OR credential_id = in_credential)
             ORDER BY credential_id NULLS FIRST
        LOOP
            limited := true;
            IF in_moment >= l.window_end THEN
                l := billing_roll(l, in_windows);
                IF in_amount > 0 THEN
                    l := billing_judge(l, in_moment);
                    PERFORM billing_keep_figures(l);
                END IF;
            END IF;
            rest := l.limit_nanos - l.spent_nanos - l.reserved_nanos;
            verdict := CASE
                WHEN l.enforcement = 'warn' THEN NULL
                WHEN in_unpriced THEN 'unpriced'
                WHEN l.spent_nanos >= l.limit_nanos THEN 'reached'
                WHEN rest < greatest(in_amount, 1) THEN 'full'
            END;
            IF verdict IS NOT NULL THEN
                ends := billing_ends(l, verdict, in_amount);
            END IF;
            -- Of several limits that refuse, the one that does so longest is told of; else the tightest.
            IF (verdict IS NOT NULL AND (allowed OR coalesce(ends, 'infinity') > coalesce(until, 'infinity')))
               OR (verdict IS NULL AND allowed AND (remaining_nanos IS NULL OR rest < remaining_nanos))
            THEN
                reason := verdict;
                whole := l.credential_id IS NULL;
                limit_nanos := l.limit_nanos;
                spent_nanos := l.spent_nanos;
                reserved_nanos := l.reserved_nanos;
                remaining_nanos := greatest(rest, 0);
                until := ends;
                allowed := verdict IS NULL;
            END IF;
            ends := NULL;
        END LOOP;
        EXIT WHEN allowed OR reason <> 'full' OR attempt = 2;
        -- What is over needn't be in the way. Whose holds to end goes by whose limits are held: all, or one's own.
        PERFORM pg_advisory_xact_lock_shared(billing_spending(in_organization));
        PERFORM FROM billing_spend_limit WHERE organization_id = in_organization AND credential_id IS NULL;
        EXIT WHEN billing_expire(in_organization, CASE WHEN NOT FOUND THEN in_credential END, in_moment) = 0;
        until := NULL;
    END LOOP;
    IF allowed AND limited AND in_amount > 0 THEN
        UPDATE billing_spend_limit AS held SET reserved_nanos = held.reserved_nanos + in_amount
         WHERE organization_id = in_organization AND (credential_id IS NULL OR credential_id = in_credential);
        INSERT INTO billing_reservation (
            id, organization_id, credential_id, amount_nanos, state, created_at, expires_at, settled_nanos
        ) VALUES (in_reservation, in_organization, in_credential, in_amount, 'held', in_moment, in_expires, 0);
        reserved_nanos := reserved_nanos + in_amount;
        remaining_nanos := greatest(remaining_nanos - in_amount, 0);
    END IF;
END $$;

-- When a refusal may end: at the earliest, since what is spent or held meanwhile may prolong it; null: not by itself.
CREATE FUNCTION billing_ends(l billing_spend_limit, in_reason text, in_amount numeric) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF in_reason = 'unpriced' OR in_amount > l.limit_nanos THEN
        RETURN NULL;
    ELSIF in_reason = 'full' AND l.spent_nanos + greatest(in_amount, 1) <= l.limit_nanos THEN
        RETURN (
            SELECT min(expires_at) FROM billing_reservation
             WHERE organization_id = l.organization_id AND state = 'held'
               AND (l.credential_id IS NULL OR credential_id = l.credential_id)
        );
    END IF;
    RETURN billing_fits_at(l, in_amount);
END $$;

-- Gives back what is held; returns the state that the reservation is in now, null for none such.
CREATE FUNCTION billing_release(in_organization bigint, in_reservation uuid, in_moment timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    amount bigint;
    became text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(billing_spending(in_organization));
    SELECT credential_id INTO owner FROM billing_reservation
     WHERE organization_id = in_organization AND id = in_reservation;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM billing_hold_limits(in_organization, ARRAY[owner]);
    UPDATE billing_reservation SET state = 'released', ended_at = in_moment
     WHERE id = in_reservation AND state = 'held' RETURNING amount_nanos INTO amount;
    IF FOUND THEN
        UPDATE billing_spend_limit SET reserved_nanos = reserved_nanos - amount
         WHERE organization_id = in_organization AND (credential_id IS NULL OR credential_id = owner);
    END IF;
    SELECT state INTO became FROM billing_reservation WHERE id = in_reservation;
    RETURN became;
END $$;

-- Moves an organization's windows on, ends holds that are over, and forgets quarter-hours that no window reaches.
CREATE FUNCTION billing_upkeep(
    in_organization bigint, in_moment timestamptz, in_windows timestamptz[], OUT rolled integer, OUT expired integer
) LANGUAGE plpgsql AS $$
DECLARE
    l billing_spend_limit;
BEGIN
    rolled := 0;
    PERFORM pg_advisory_xact_lock_shared(billing_spending(in_organization));
    PERFORM FROM billing_spend_limit WHERE organization_id = in_organization
      ORDER BY credential_id NULLS FIRST FOR NO KEY UPDATE;
    expired := billing_expire(in_organization, NULL, in_moment);
    FOR l IN
        SELECT * FROM billing_spend_limit WHERE organization_id = in_organization ORDER BY credential_id NULLS FIRST
    LOOP
        -- A week also moves when the organization's zone does.
        IF in_moment >= l.window_end
            OR (l.window_kind = 'week' AND in_windows[3] <> l.window_start AND in_moment >= l.window_start)
        THEN
            PERFORM billing_keep_figures(billing_judge(billing_roll(l, in_windows), in_moment));
            DELETE FROM billing_spend_bucket WHERE limit_id = l.id AND quarter < in_moment - interval '384 hours';
            rolled := rolled + 1;
        END IF;
    END LOOP;
END $$;

-- Counts a limit anew, from what was spent by quarter-hour and what is held. The caller has the spending alone.
CREATE FUNCTION billing_recount(
    l billing_spend_limit, in_moment timestamptz, in_windows timestamptz[], in_quarters timestamptz[], in_costs numeric[]
) RETURNS billing_spend_limit LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM billing_spend_bucket WHERE limit_id = l.id;
    INSERT INTO billing_spend_bucket (limit_id, quarter, organization_id, cost_nanos)
    SELECT l.id, quarter, l.organization_id, cost FROM unnest(in_quarters, in_costs) AS c (quarter, cost) WHERE cost > 0;
    SELECT coalesce(sum(amount_nanos), 0) INTO l.reserved_nanos FROM billing_reservation
     WHERE organization_id = l.organization_id AND state = 'held'
       AND (l.credential_id IS NULL OR credential_id = l.credential_id);
    RETURN billing_roll(l, in_windows);
END $$;

-- Sets a limit, or changes it, from now on. The caller has the spending alone, and has just added up the costs.
CREATE FUNCTION billing_set_limit(
    in_organization bigint, in_credential bigint, in_limit bigint, in_kind text, in_warn_at smallint[],
    in_enforcement text, in_moment timestamptz, in_windows timestamptz[], in_quarters timestamptz[], in_costs numeric[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l billing_spend_limit;
BEGIN
    INSERT INTO billing_spend_limit (
        organization_id, credential_id, limit_nanos, window_kind, warn_at, enforcement, created_at, state, warned,
        window_start, window_end, spent_nanos, reserved_nanos
    ) VALUES (
        in_organization, in_credential, in_limit, in_kind, in_warn_at, in_enforcement, in_moment, 'open',
        ARRAY[]::smallint[], in_moment, in_moment + interval '1 second', 0, 0
    )
    ON CONFLICT (organization_id, credential_id) DO UPDATE SET
        limit_nanos = in_limit, window_kind = in_kind, warn_at = in_warn_at, enforcement = in_enforcement
    RETURNING * INTO l;
    l := billing_recount(l, in_moment, in_windows, in_quarters, in_costs);
    PERFORM billing_note(l, 'limitSet', in_moment);
    PERFORM billing_keep_figures(billing_judge(l, in_moment));
END $$;

-- Removes a limit; true when there was one. The caller has the spending alone.
CREATE FUNCTION billing_remove_limit(in_organization bigint, in_credential bigint, in_moment timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l billing_spend_limit;
BEGIN
    SELECT * INTO l FROM billing_spend_limit
     WHERE organization_id = in_organization AND credential_id IS NOT DISTINCT FROM in_credential;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM billing_note(l, 'limitRemoved', in_moment);
    DELETE FROM billing_spend_bucket WHERE limit_id = l.id;
    DELETE FROM billing_spend_limit WHERE id = l.id;
    RETURN true;
END $$;

-- Counts a limit anew where its figures are not what they should be. The caller has the spending alone.
CREATE FUNCTION billing_correct(
    in_limit bigint, in_moment timestamptz, in_windows timestamptz[], in_quarters timestamptz[], in_costs numeric[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    l billing_spend_limit;
    spent numeric;
    reserved numeric;
BEGIN
    SELECT * INTO l FROM billing_spend_limit WHERE id = in_limit;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    spent := l.spent_nanos;
    reserved := l.reserved_nanos;
    l := billing_recount(l, in_moment, in_windows, in_quarters, in_costs);
    IF l.spent_nanos = spent AND l.reserved_nanos = reserved THEN
        RETURN false;
    END IF;
    PERFORM billing_note(l, 'corrected', in_moment);
    PERFORM billing_keep_figures(billing_judge(l, in_moment));
    RETURN true;
END $$;
