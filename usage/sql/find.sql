-- One page of an organization's records, in order of (occurred_at, key).
--
-- Row-level security lets only leak-proof operators use an index, and containment (@>) is not one of them. This
-- function therefore runs as a role whose policy is always true, and holds the tenant itself: it reads the
-- organization from the same setting as the policies and refuses to run without one.
-- First it walks a few hundred records along the listing index, whatever is wanted. When that shows that what is
-- wanted is dense, it walks on in growing strides; when it is sparse, it asks the indexes on terms, links and
-- metadata, week by week and then in growing windows, as long as a window doesn't hold a crowd. The planner's
-- estimates play no part: under row-level security it has no statistics for operators that aren't leak-proof.
CREATE FUNCTION usage_find(
    in_from timestamptz, in_to timestamptz, in_terms text[], in_links jsonb, in_meta jsonb[],
    in_after_at timestamptz, in_after_key uuid, in_descending boolean, in_take integer
) RETURNS SETOF usage_record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    tenant bigint := nullif(current_setting('headroom.organization_id', true), '')::bigint;
    wanted text := usage_wanted(in_terms, in_links, in_meta);
    indexed text := usage_indexed(tenant, in_terms, in_links, in_meta);
    ordering text := CASE WHEN in_descending THEN 'DESC' ELSE 'ASC' END;
    -- How many records a walk looks at, and how many the index may find in a window.
    stride integer := CASE indexed WHEN '' THEN in_take ELSE 500 + in_take END;
    crowd constant integer := 1000 + 20 * in_take;
    span interval := '7 days';
    near timestamptz := CASE WHEN in_descending THEN in_to ELSE in_from END;
    goal timestamptz := CASE WHEN in_descending THEN in_from ELSE in_to END;
    far timestamptz;
    edge timestamptz;
    week timestamptz;
    missing integer := in_take;
    got integer;
    walk text;
    ends text;
    seek text;
    count text;
    matches integer;
    leaping boolean := indexed <> '';
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'no organization is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF in_after_at IS NOT NULL THEN
        near := CASE WHEN in_descending THEN least(near, in_after_at + interval '1 microsecond')
            ELSE greatest(near, in_after_at) END;
        wanted := wanted || format(' AND (occurred_at, key) %s (%L::timestamptz, %L::uuid)',
            CASE WHEN in_descending THEN '<' ELSE '>' END, in_after_at, in_after_key);
    END IF;
    -- A sub-select with OFFSET is planned by itself: the one is a walk along the listing index whatever is wanted, the
    -- other a question to the index on terms, in which the conditions that no index serves can't take part.
    ends := format('SELECT occurred_at FROM usage_record WHERE organization_id = %s AND occurred_at >= $1 '
        'AND occurred_at < $2 ORDER BY occurred_at %2$s, key %2$s OFFSET $3 LIMIT 1', tenant, ordering);
    walk := format('SELECT * FROM (SELECT * FROM usage_record WHERE organization_id = %s AND occurred_at >= $1 '
        'AND occurred_at < $2 ORDER BY occurred_at %2$s, key %2$s OFFSET 0) AS walked '
        'WHERE true%3$s ORDER BY occurred_at %2$s, key %2$s LIMIT $3', tenant, ordering, wanted);
    count := format('SELECT count(*) FROM (SELECT FROM usage_record WHERE occurred_at >= $1 AND occurred_at < $2%s '
        'LIMIT %s) AS counted', indexed, crowd);
    seek := format('SELECT * FROM (SELECT * FROM usage_record WHERE occurred_at >= $1 AND occurred_at < $2%s OFFSET 0) '
        'AS sought WHERE organization_id = %s%s ORDER BY occurred_at %4$s, key %4$s LIMIT $3',
        indexed, tenant, wanted, ordering);
    WHILE missing > 0 AND near <> goal AND (near > goal) = in_descending LOOP
        far := CASE WHEN in_descending THEN greatest(near - span, goal) ELSE least(near + span, goal) END;
        EXECUTE ends INTO edge USING least(near, far), greatest(near, far), stride;
        IF edge IS NULL THEN
            span := span * 8;
        ELSE
            far := edge + CASE WHEN in_descending THEN interval '0' ELSE interval '1 microsecond' END;
        END IF;
        RETURN QUERY EXECUTE walk USING least(near, far), greatest(near, far), missing;
        GET DIAGNOSTICS got = ROW_COUNT;
        missing := missing - got;
        week := date_trunc('week', far) + CASE WHEN in_descending THEN interval '0' ELSE interval '7 days' END;
        -- Is it less work to fetch all that the index has of this week than to walk on until the page is full?
        IF leaping AND edge IS NOT NULL AND 3.0 * got * got * abs(extract(epoch FROM week - far))
                < missing * abs(extract(epoch FROM far - near)) THEN
            near := far;
            far := CASE WHEN in_descending THEN greatest(week, goal) ELSE least(week, goal) END;
            span := '7 days';
            WHILE missing > 0 AND near <> goal LOOP
                EXECUTE count INTO matches USING least(near, far), greatest(near, far);
                -- It was rarer where we come from: only walking on bounds the work.
                leaping := matches < crowd;
                EXIT WHEN NOT leaping;
                IF matches > 0 THEN
                    RETURN QUERY EXECUTE seek USING least(near, far), greatest(near, far), missing;
                    GET DIAGNOSTICS got = ROW_COUNT;
                    missing := missing - got;
                END IF;
                near := far;
                far := CASE WHEN in_descending THEN greatest(near - span, goal) ELSE least(near + span, goal) END;
                span := span * 4;
            END LOOP;
        ELSE
            near := far;
            stride := CASE WHEN edge IS NULL THEN stride ELSE stride * 4 END;
        END IF;
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
