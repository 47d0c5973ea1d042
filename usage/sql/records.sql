-- Records: one row a call, partitioned by the week in which the call happened.
CREATE TABLE usage_record (
    organization_id bigint NOT NULL,
    credential_id bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    key uuid NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    prompt_tokens bigint CHECK (prompt_tokens >= 0),
    completion_tokens bigint CHECK (completion_tokens >= 0),
    total_tokens bigint CHECK (total_tokens >= 0),
    cached_prompt_tokens bigint,
    cache_write_tokens bigint,
    reasoning_tokens bigint,
    latency_us bigint CHECK (latency_us >= 0),
    cost_nanos bigint CHECK (cost_nanos >= 0),
    price_id bigint,
    status_code smallint,
    succeeded boolean NOT NULL,
    execution boolean NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    endpoint text,
    capability text,
    model text,
    provider text,
    error_type text,
    reservation_id text,
    links jsonb,
    quantities jsonb,
    meta jsonb
) PARTITION BY RANGE (occurred_at);

-- Read backward for newest first, so a row-value cursor works in both directions.
CREATE INDEX usage_record_listing ON usage_record (organization_id, occurred_at, key);

-- The resource ids and metadata of a record under its organization's id, so that a value that is rare in one
-- organization is so in the index, however frequent it is elsewhere.
CREATE FUNCTION usage_scoped(organization_id bigint, value jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN jsonb_set('{{}}', ARRAY[organization_id::text], value);
CREATE INDEX usage_record_links ON usage_record USING gin (
    usage_scoped(organization_id, links) jsonb_path_ops, usage_scoped(organization_id, meta) jsonb_path_ops
) WITH (gin_pending_list_limit = 512);

-- Its dimensions likewise, as hashes: eight bytes a term. Functions, so that index and queries can't spell them
-- differently; everything in them is immutable, or they would not be inlined.
CREATE FUNCTION usage_term(organization_id bigint, kind integer, value text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN hashtextextended(value, organization_id * 8 + kind);
CREATE FUNCTION usage_terms(
    organization_id bigint, credential_id bigint, type text, endpoint text, capability text, model text,
    provider text, succeeded boolean
) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN ARRAY[
    usage_term(organization_id, 1, credential_id::text), usage_term(organization_id, 2, type),
    usage_term(organization_id, 3, endpoint), usage_term(organization_id, 4, capability),
    usage_term(organization_id, 5, model), usage_term(organization_id, 6, provider),
    usage_term(organization_id, 7, CASE WHEN succeeded THEN 'success' ELSE 'error' END)
];
CREATE INDEX usage_record_terms ON usage_record USING gin (
    usage_terms(organization_id, credential_id, type, endpoint, capability, model, provider, succeeded)
) WITH (gin_pending_list_limit = 512);

-- What makes a record unique, for as long as it is kept, whatever its timestamp.
CREATE TABLE usage_record_key (
    organization_id bigint NOT NULL,
    key uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key)
) PARTITION BY HASH (organization_id);
DO $$
BEGIN
    FOR remainder IN 0..7 LOOP
        EXECUTE format(
            'CREATE TABLE usage_record_key_%s PARTITION OF usage_record_key FOR VALUES WITH (MODULUS 8, REMAINDER %s)',
            remainder, remainder
        );
        EXECUTE format('REVOKE ALL ON usage_record_key_%s FROM {app}', remainder);
    END LOOP;
END $$;

-- Records are written once. Only retention removes any, by dropping whole partitions.
CREATE FUNCTION usage_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'usage records are immutable: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER usage_record_immutable BEFORE UPDATE OR DELETE ON usage_record
    FOR EACH ROW EXECUTE FUNCTION usage_refuse_change();
CREATE TRIGGER usage_record_not_truncated BEFORE TRUNCATE ON usage_record
    FOR EACH STATEMENT EXECUTE FUNCTION usage_refuse_change();
CREATE TRIGGER usage_record_key_immutable BEFORE UPDATE ON usage_record_key
    FOR EACH ROW EXECUTE FUNCTION usage_refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON usage_record, usage_record_key FROM {app};
