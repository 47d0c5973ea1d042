-- What has been stored and not yet folded into the cubes: a narrow copy of each record.
CREATE TABLE usage_pending (
    organization_id bigint NOT NULL,
    credential_id bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    count bigint NOT NULL,
    prompt_tokens bigint,
    completion_tokens bigint,
    total_tokens bigint,
    cached_prompt_tokens bigint,
    cache_write_tokens bigint,
    reasoning_tokens bigint,
    latency_us bigint,
    cost_nanos bigint,
    status_code smallint,
    succeeded boolean NOT NULL,
    execution boolean NOT NULL,
    type text NOT NULL,
    endpoint text,
    capability text,
    model text,
    provider text,
    error_type text,
    quantities jsonb
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
CREATE INDEX usage_pending_organization ON usage_pending (organization_id);
REVOKE UPDATE, TRUNCATE ON usage_pending FROM {app};

-- The place of each latency bucket in a histogram: see usage/rollups/latency.py.
CREATE TABLE usage_latency_bucket (bucket smallint PRIMARY KEY, unit numeric NOT NULL);
INSERT INTO usage_latency_bucket
    SELECT i, ('1' || repeat('0', {digits} * i))::numeric FROM generate_series(0, {last_bucket}) AS i;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON usage_latency_bucket FROM {app};

DO $$
DECLARE
    measures text := 'requests bigint NOT NULL, errors bigint NOT NULL, executions bigint NOT NULL,
        failed_executions bigint NOT NULL, unpriced bigint NOT NULL, count numeric NOT NULL,
        prompt_tokens bigint NOT NULL, completion_tokens bigint NOT NULL, total_tokens bigint NOT NULL,
        cached_prompt_tokens bigint NOT NULL, cache_write_tokens bigint NOT NULL, reasoning_tokens bigint NOT NULL,
        cost_nanos numeric NOT NULL, latency_records bigint NOT NULL, latency_us numeric NOT NULL';
    place text := 'organization_id bigint NOT NULL, dimension smallint NOT NULL, bucket %s NOT NULL,
        credential_id bigint NOT NULL, value text NOT NULL, qualifier text NOT NULL';
    key text := 'organization_id, dimension, bucket, credential_id, value, qualifier';
    settings text := 'WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)';
BEGIN
    EXECUTE format('CREATE TABLE usage_rollup_minute (organization_id bigint NOT NULL, bucket timestamptz NOT NULL,
        credential_id bigint NOT NULL, %s, PRIMARY KEY (organization_id, bucket, credential_id)) %s',
        measures, settings);
    EXECUTE format('CREATE TABLE usage_rollup_quarter (%s, %s, latency_histogram numeric NOT NULL, PRIMARY KEY (%s)) %s',
        format(place, 'timestamptz'), measures, key, settings);
    EXECUTE format('CREATE TABLE usage_rollup_day (%s, %s, latency_histogram numeric NOT NULL, PRIMARY KEY (%s)) %s',
        format(place, 'date'), measures, key, settings);
    EXECUTE format('CREATE TABLE usage_meter_quarter (%s, meter text NOT NULL, records bigint NOT NULL,
        quantity numeric NOT NULL, PRIMARY KEY (%s, meter)) %s', format(place, 'timestamptz'), key, settings);
    EXECUTE format('CREATE TABLE usage_meter_day (%s, meter text NOT NULL, records bigint NOT NULL,
        quantity numeric NOT NULL, PRIMARY KEY (%s, meter)) %s', format(place, 'date'), key, settings);
END $$;
