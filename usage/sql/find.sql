-- One page of an organization's records, in order of (occurred_at, key).
--
-- Row-level security lets only leak-proof operators use an index, and containment (@>) is not one of them. This
-- function therefore runs as a role whose policy is always true, and holds the tenant itself: it reads the
-- organization from the same setting as the policies and refuses to run without one.
--
-- It looks from the edge of the period inward in growing windows, so that a frequent value is found by walking the
-- listing index and a rare one by the index on its terms, whichever the planner finds cheaper for that window.
CREATE FUNCTION usage_find(
    in_from timestamptz, in_to timestamptz, in_terms text[], in_links jsonb, in_meta jsonb[],
    in_after_at timestamptz, in_after_key uuid, in_descending boolean, in_take integer
) RETURNS SETOF usage_record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    tenant bigint := nullif(current_setting('headroom.organization_id', true), '')::bigint;
    lower_bound timestamptz := in_from;
    upper_bound timestamptz := in_to;
    window_start timestamptz;
    window_end timestamptz;
    span interval;
    probe integer := greatest(1000, 2 * in_take);
    found_rows integer := 0;
    returned integer;
    conditions text := '';
    ordering text := CASE WHEN in_descending THEN 'DESC' ELSE 'ASC' END;
    edge timestamptz;
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'no organization is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF in_after_at IS NOT NULL THEN
        IF in_descending THEN
            upper_bound := least(upper_bound, in_after_at + interval '1 microsecond');
            conditions := conditions || ' AND (occurred_at, key) < ($6, $7)';
        ELSE
            lower_bound := greatest(lower_bound, in_after_at);
            conditions := conditions || ' AND (occurred_at, key) > ($6, $7)';
        END IF;
    END IF;
    IF cardinality(in_terms) > 0 THEN
        conditions := conditions
            || ' AND usage_terms(credential_id, type, endpoint, capability, model, provider, succeeded) @> $4';
    END IF;
    IF in_links IS NOT NULL THEN
        conditions := conditions || ' AND links @> $5';
    END IF;
    -- Two readings of each value follow one another: as text, and as the number or boolean it may stand for.
    FOR i IN 1 .. cardinality(in_meta) BY 2 LOOP
        conditions := conditions || format(' AND (meta @> ($9)[%s] OR meta @> ($9)[%s])', i, i + 1);
    END LOOP;
    window_start := CASE WHEN in_descending THEN upper_bound ELSE lower_bound END;
    window_end := window_start;
    WHILE found_rows < in_take LOOP
        IF in_descending THEN
            EXIT WHEN window_start <= lower_bound;
            window_end := window_start;
            IF span IS NULL THEN
                SELECT occurred_at INTO edge FROM usage_record
                WHERE organization_id = tenant AND occurred_at >= lower_bound AND occurred_at < window_end
                ORDER BY organization_id DESC, occurred_at DESC, key DESC OFFSET probe LIMIT 1;
            ELSE
                edge := window_end - span;
            END IF;
            window_start := greatest(coalesce(edge, lower_bound), lower_bound);
        ELSE
            EXIT WHEN window_end >= upper_bound;
            window_start := window_end;
            IF span IS NULL THEN
                SELECT occurred_at + interval '1 microsecond' INTO edge FROM usage_record
                WHERE organization_id = tenant AND occurred_at >= window_start AND occurred_at < upper_bound
                ORDER BY organization_id, occurred_at, key OFFSET probe LIMIT 1;
            ELSE
                edge := window_start + span;
            END IF;
            window_end := least(coalesce(edge, upper_bound), upper_bound);
        END IF;
        RETURN QUERY EXECUTE
            'SELECT * FROM usage_record WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $3'
            || conditions || format(' ORDER BY occurred_at %1$s, key %1$s LIMIT $8', ordering)
            USING tenant, window_start, window_end, in_terms, in_links, in_after_at, in_after_key,
                in_take - found_rows, in_meta;
        GET DIAGNOSTICS returned = ROW_COUNT;
        found_rows := found_rows + returned;
        span := greatest(window_end - window_start, interval '1 second') * 8;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION usage_find(
    timestamptz, timestamptz, text[], jsonb, jsonb[], timestamptz, uuid, boolean, integer
) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_find(
    timestamptz, timestamptz, text[], jsonb, jsonb[], timestamptz, uuid, boolean, integer
) TO {app};
-- The condition must be the constant: any other comes before containment and keeps it from using an index. No
-- role inherits from the lookup role, so nobody else passes.
CREATE POLICY lookup ON usage_record FOR SELECT TO {lookup} USING (true);
GRANT SELECT ON usage_record TO {lookup};
-- Giving a function away takes the right to create in its schema, for as long as that takes.
GRANT CREATE, USAGE ON SCHEMA public TO {lookup};
ALTER FUNCTION usage_find(
    timestamptz, timestamptz, text[], jsonb, jsonb[], timestamptz, uuid, boolean, integer
) OWNER TO {lookup};
REVOKE CREATE ON SCHEMA public FROM {lookup};
