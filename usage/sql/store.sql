DROP FUNCTION IF EXISTS usage_take_in(bigint, json, integer[], bytea, timestamptz, text);
DROP FUNCTION IF EXISTS usage_take_in(bigint, json, integer[], timestamptz, bytea, text);
DROP FUNCTION IF EXISTS usage_store(bigint, json);

-- Keeps the records of one batch and returns the keys that were there already, and a receipt of what was stored for
-- whoever counts it in the same transaction; null when there is nothing to count:
--   costs         [[credential, start of a quarter-hour, nanos], …] of the records that cost anything, added up
--   reservations  [[reservation, nanos], …] of the records that name one; without a cost, 0
--   credits       [[moment, amount], …] of the records that used any; quota likewise
-- One statement: what was stored, what makes it unique and what the totals will add are one fact.
-- The rows come sorted by key and without repetition, so that concurrent batches wait for each other
-- in one order and never in a ring.
CREATE FUNCTION usage_store(in_organization bigint, in_rows json, OUT known uuid[], OUT receipt jsonb)
LANGUAGE plpgsql SET work_mem = '64MB' AS $$
BEGIN
    WITH input AS MATERIALIZED (
        SELECT * FROM json_to_recordset(in_rows) AS r (
            k uuid, i text, a bigint, t timestamptz, n bigint, p bigint, c bigint, s bigint, pc bigint, pw bigint,
            cr bigint, l bigint, x bigint, xi bigint, sc smallint, ok boolean, ex boolean, ty text, e text, ca text,
            m text, pr text, st text, et text, ri text, li jsonb, q jsonb, me jsonb
        )
    ), fresh AS (
        INSERT INTO usage_record_key (organization_id, key, occurred_at)
        SELECT in_organization, k, t FROM input
        ON CONFLICT DO NOTHING
        RETURNING key
    ), stored AS (
        INSERT INTO usage_record (
            organization_id, credential_id, occurred_at, key, count, prompt_tokens, completion_tokens, total_tokens,
            cached_prompt_tokens, cache_write_tokens, reasoning_tokens, latency_us, cost_nanos, price_id, status_code,
            succeeded, execution, id, type, endpoint, capability, model, provider, service_tier, error_type,
            reservation_id, links, quantities, meta
        )
        SELECT in_organization, a, t, k, n, p, c, s, pc, pw, cr, l, x, xi, sc, ok, ex, i, ty, e, ca, m, pr, st, et,
            ri, li, q, me
        FROM input JOIN fresh ON fresh.key = input.k
    ), queued AS (
        INSERT INTO usage_pending (
            organization_id, credential_id, occurred_at, count, prompt_tokens, completion_tokens, total_tokens,
            cached_prompt_tokens, cache_write_tokens, reasoning_tokens, latency_us, cost_nanos, status_code,
            succeeded, execution, type, endpoint, capability, model, provider, error_type, quantities
        )
        SELECT in_organization, a, t, n, p, c, s, pc, pw, cr, l, x, sc, ok, ex, ty, e, ca, m, pr, et, q
        FROM input JOIN fresh ON fresh.key = input.k
    ), told AS MATERIALIZED (
        SELECT k, a, t, x, ri, q, fresh.key IS NOT NULL AS stored FROM input LEFT JOIN fresh ON fresh.key = input.k
    )
    SELECT
        coalesce((SELECT array_agg(k) FROM told WHERE NOT stored), '{{}}'),
        nullif(jsonb_strip_nulls(jsonb_build_object(
            'costs', (
                SELECT jsonb_agg(jsonb_build_array(a, quarter, cost)) FROM (
                    SELECT a, date_bin('15 minutes', t, 'epoch') AS quarter, sum(x) AS cost
                    FROM told WHERE stored AND x > 0 GROUP BY a, quarter
                ) AS spent
            ),
            'reservations', (
                SELECT jsonb_agg(jsonb_build_array(ri, coalesce(x, 0))) FROM told WHERE stored AND ri IS NOT NULL
            ),
            'credits', (SELECT jsonb_agg(jsonb_build_array(t, q -> 'credits')) FROM told WHERE stored AND q ? 'credits'),
            'quota', (SELECT jsonb_agg(jsonb_build_array(t, q -> 'quota')) FROM told WHERE stored AND q ? 'quota')
        )), '{{}}')
    INTO known, receipt;
END $$;

-- The same as a whole transaction in one round trip: confirms who sends, keeps retention away from the weeks that
-- late records fall into, and stores in the sender's scope, which stays open until the transaction ends. `known` is
-- null, with nothing stored, when the door would now answer otherwise than `in_opened`; without one it isn't asked.
CREATE FUNCTION usage_take_in(
    in_organization bigint, in_rows json, in_late integer[], in_moment timestamptz, in_hash bytea, in_opened text,
    OUT known uuid[], OUT receipt jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    ignored text;
BEGIN
    IF in_opened IS NOT NULL AND in_opened IS DISTINCT FROM (
        SELECT opened::text FROM organizations_open_door(in_hash, in_moment) AS opened
    ) THEN
        RETURN;
    END IF;
    -- Assigned, not performed: PL/pgSQL makes no query of what it assigns.
    ignored := set_config('headroom.organization_id', in_organization::text, true);
    ignored := set_config('headroom.system', '', true);
    IF in_late <> '{{}}' THEN
        -- Before any table is locked: retention waits for those who hold one.
        PERFORM pg_advisory_xact_lock_shared(hashtext('usage_record weeks'), week) FROM unnest(in_late) AS week;
    END IF;
    SELECT stored.known, stored.receipt INTO known, receipt FROM usage_store(in_organization, in_rows) AS stored;
END $$;
