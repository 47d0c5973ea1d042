-- Records number `first` to `last`, in the order of their moments. Half of them, and those with a rare value of
-- everything, are the large organization's, which is slot 1.
INSERT INTO usage_record (
    organization_id, credential_id, occurred_at, created_at, key, count, prompt_tokens, completion_tokens,
    total_tokens, cost_nanos, latency_us, status_code, succeeded, execution, id, type, endpoint, capability, model, provider,
    error_type, links, quantities, meta
)
SELECT
    organization_id,
    CASE WHEN marked THEN %(rare_credential)s WHEN organization_id = %(big)s THEN %(main_credential)s ELSE credential_id END,
    occurred_at, occurred_at, md5(organization_id || ':' || id)::uuid,
    prompt + completion, prompt, completion, prompt + completion, 2500 * prompt + 10000 * completion,
    (1000 * exp(6.8 + 0.7 * (random() + random() + random() + random() - 2) * 1.73))::bigint,
    CASE WHEN failed THEN 500 ELSE 200 END, NOT failed, kind > 70,
    id,
    CASE WHEN marked THEN 'rare.type' ELSE (%(types)s::text[])[kind + 1] END,
    CASE WHEN marked THEN '/v1/rare' ELSE (%(endpoints)s::text[])[kind + 1] END,
    CASE WHEN marked THEN 'rare' ELSE (%(capabilities)s::text[])[kind + 1] END,
    CASE WHEN marked THEN 'rare-model' WHEN elsewhere THEN %(elsewhere)s ELSE (%(models)s::text[])[model + 1] END,
    CASE WHEN marked THEN 'rare-provider' WHEN elsewhere THEN %(elsewhere)s ELSE (%(providers)s::text[])[model + 1] END,
    CASE WHEN failed THEN 'Upstream' END,
    CASE
        WHEN marked THEN %(rare_links)s::jsonb
        WHEN organization_id = %(big)s AND hot < 0.1 THEN %(hot_links)s::jsonb
        ELSE jsonb_build_object('botId', 'bot_' || floor(40 * random()), 'conversationId', 'conv_' || left(digest, 16))
    END,
    CASE WHEN kind > 95 THEN '{"pages": 3, "processorRuns": 1}'::jsonb ELSE '{"messages": 2, "conversations": 1}'::jsonb END,
    CASE
        WHEN marked THEN '{"region": "rare-region", "level": 77}'::jsonb
        ELSE jsonb_build_object('region', (ARRAY['eu-west-1', 'eu-central-1', 'us-east-1', 'ap-south-1'])[1 + floor(4 * random())::int],
                                'level', floor(4 * random())::int)
    END
FROM (
    SELECT
        slots.organization_id, slots.credential_id, drawn.*,
        slots.organization_id = %(big)s AND number %% %(marks)s = 5 AS marked,
        CASE WHEN slots.organization_id = %(big)s THEN number %% %(marks)s = 5 ELSE failing < 0.02 END AS failed,
        CASE WHEN slots.organization_id = %(big)s THEN number %% %(marks)s = 11 ELSE hot < 0.3 END AS elsewhere
    FROM (
        SELECT number, %(began)s::timestamptz + number * %(step)s::interval AS occurred_at, md5(number::text) AS digest,
            'req_' || left(md5(number::text), 24) AS id, random() AS hot, random() AS failing,
            floor(100 * random())::int AS kind, floor(100 * random())::int AS model,
            (exp(6.5 + (random() + random() + random() + random() - 2) * 1.73))::bigint AS prompt,
            (exp(5.0 + 0.9 * (random() + random() + random() + random() - 2) * 1.73))::bigint AS completion,
            -- Every organization has its share; the marked ones are always the large one's.
            CASE WHEN number %% %(marks)s IN (5, 11) OR random() < 0.5 THEN 1 ELSE 2 + floor(random() * (%(size)s - 1))::int END AS slot
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number
    ) AS drawn
    JOIN bench_slot AS slots ON slots.slot = drawn.slot
) AS record
