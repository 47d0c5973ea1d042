-- What the records of a page must have, as the condition of a statement.
CREATE OR REPLACE FUNCTION usage_wanted(in_terms text[], in_links jsonb, in_meta jsonb[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    condition text := '';
    term text;
    name text;
    value text;
BEGIN
    FOREACH term IN ARRAY in_terms LOOP
        name := split_part(term, ':', 1);
        value := substr(term, length(name) + 2);
        condition := condition || CASE name
            WHEN 'credential' THEN format(' AND credential_id = %L', value)
            WHEN 'missing' THEN format(' AND %I IS NULL', value)
            WHEN 'status' THEN CASE value WHEN 'success' THEN ' AND succeeded' ELSE ' AND NOT succeeded' END
            ELSE format(' AND %I = %L', name, value)
        END;
    END LOOP;
    IF in_links IS NOT NULL THEN
        condition := condition || format(' AND links @> %L', in_links);
    END IF;
    -- Two readings of each value follow one another: as text, and as the number or boolean it may stand for.
    FOR i IN 1 .. cardinality(in_meta) BY 2 LOOP
        condition := condition || format(' AND (meta @> %L OR meta @> %L)', in_meta[i], in_meta[i + 1]);
    END LOOP;
    RETURN condition;
END $$;

-- The same as far as the indexes on terms and outcomes can tell; empty when nothing is asked of them.
CREATE OR REPLACE FUNCTION usage_indexed(tenant bigint, in_terms text[], in_links jsonb, in_meta jsonb[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    kinds constant text[] := '{{credential,type,endpoint,capability,model,provider,status}}';
    hashes bigint[] := ARRAY(
        SELECT usage_term(tenant, array_position(kinds, split_part(term, ':', 1)), substr(term, strpos(term, ':') + 1))
        FROM unnest(in_terms) AS term WHERE split_part(term, ':', 1) = ANY (kinds)
    );
    condition text := '';
    term text;
    name text;
    value text;
BEGIN
    IF cardinality(hashes) > 0 THEN
        condition := format(' AND usage_terms(organization_id, credential_id, type, endpoint, capability, model, '
            'provider, succeeded) @> %L::bigint[]', hashes);
    END IF;
    FOREACH term IN ARRAY in_terms LOOP
        name := split_part(term, ':', 1);
        value := substr(term, length(name) + 2);
        -- Only codes of failures are in an index.
        IF name = 'error_type' OR name = 'status_code' AND value >= '300' THEN
            condition := condition || format(' AND organization_id = %s AND %I = %L', tenant, name, value);
        END IF;
    END LOOP;
    IF in_links IS NOT NULL THEN
        condition := condition
            || format(' AND usage_scoped(organization_id, links) @> %L', usage_scoped(tenant, in_links));
    END IF;
    FOR i IN 1 .. cardinality(in_meta) BY 2 LOOP
        condition := condition || format(
            ' AND (usage_scoped(organization_id, meta) @> %L OR usage_scoped(organization_id, meta) @> %L)',
            usage_scoped(tenant, in_meta[i]), usage_scoped(tenant, in_meta[i + 1])
        );
    END LOOP;
    RETURN condition;
END $$;
