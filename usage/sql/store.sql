-- Keeps the records of one batch and returns the keys that were there already.
-- One statement: what was stored, what makes it unique and what the totals will add are one fact.
-- The rows come sorted by key and without repetition, so that concurrent batches wait for each other
-- in one order and never in a ring.
CREATE FUNCTION usage_store(in_organization bigint, in_rows json) RETURNS uuid[]
LANGUAGE plpgsql SET work_mem = '64MB' AS $$
DECLARE
    known uuid[];
BEGIN
    WITH input AS MATERIALIZED (
        SELECT * FROM json_to_recordset(in_rows) AS r (
            k uuid, i text, a bigint, t timestamptz, n bigint, p bigint, c bigint, s bigint, pc bigint, pw bigint,
            cr bigint, l bigint, x bigint, xi bigint, sc smallint, ok boolean, ex boolean, ty text, e text, ca text,
            m text, pr text, et text, ri text, li jsonb, q jsonb, me jsonb
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
            succeeded, execution, id, type, endpoint, capability, model, provider, error_type, reservation_id,
            links, quantities, meta
        )
        SELECT in_organization, a, t, k, n, p, c, s, pc, pw, cr, l, x, xi, sc, ok, ex, i, ty, e, ca, m, pr, et, ri,
            li, q, me
        FROM input JOIN fresh ON fresh.key = input.k
    ), queued AS (
        INSERT INTO usage_pending (
            organization_id, credential_id, occurred_at, count, prompt_tokens, completion_tokens, total_tokens,
            cached_prompt_tokens, cache_write_tokens, reasoning_tokens, latency_us, cost_nanos, status_code,
            succeeded, execution, type, endpoint, capability, model, provider, error_type, quantities
        )
        SELECT in_organization, a, t, n, p, c, s, pc, pw, cr, l, x, sc, ok, ex, ty, e, ca, m, pr, et, q
        FROM input JOIN fresh ON fresh.key = input.k
    )
    SELECT coalesce(array_agg(k), '{{}}') INTO known
    FROM input LEFT JOIN fresh ON fresh.key = input.k WHERE fresh.key IS NULL;
    RETURN known;
END $$;
