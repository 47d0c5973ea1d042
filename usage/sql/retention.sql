-- Retention replaces a week as a whole, in three steps that usage/retention.py takes one after the other: what stays
-- is copied beside it, the copy takes its place, and the ids of what went are freed. Only the second step needs the
-- table for itself, and it takes no longer than a change of the catalog.

-- Which of these organizations have records in a week; null when nobody has.
CREATE FUNCTION usage_holders(week date, in_organizations bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text := usage_partition_name(week);
    holders bigint[];
    filled boolean;
BEGIN
    IF to_regclass(name) IS NULL THEN
        RETURN '{{}}';
    END IF;
    EXECUTE format(
        'SELECT coalesce(array_agg(o), ''{{}}'') FROM unnest($1) AS o
         WHERE EXISTS (SELECT FROM %I WHERE organization_id = o)', name
    ) INTO holders USING in_organizations;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
    RETURN CASE WHEN filled THEN holders END;
END $$;

-- Copies what stays of a week, with its indexes, and notes the ids of what goes.
CREATE FUNCTION usage_set_apart(week date, in_expired bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    name text := usage_partition_name(week);
    fresh text := name || '_fresh';
    expired text := name || '_expired';
    stays boolean;
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE usage_record_key)', expired);
    EXECUTE format('REVOKE ALL ON %I FROM {app}', expired);
    EXECUTE format(
        'INSERT INTO %I (organization_id, key, occurred_at)
         SELECT organization_id, key, occurred_at FROM %I WHERE organization_id = ANY ($1)', expired, name
    ) USING in_expired;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE organization_id <> ALL ($1))', name) INTO stays USING in_expired;
    IF stays THEN
        -- The constraint says what attaching would otherwise have to read the whole copy for.
        EXECUTE format(
            'CREATE TABLE %I (LIKE usage_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES,
             CONSTRAINT of_this_week CHECK (occurred_at >= %L AND occurred_at < %L))',
            fresh, week::timestamptz, (week + 7)::timestamptz
        );
        EXECUTE format('REVOKE ALL ON %I FROM {app}', fresh);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE organization_id <> ALL ($1)', fresh, name) USING in_expired;
    END IF;
END $$;

-- Puts the copy in the place of the week. It would rather give up than let everybody wait behind a slow reader.
CREATE FUNCTION usage_swap(week date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms' AS $$
DECLARE
    name text := usage_partition_name(week);
    fresh text := name || '_fresh';
BEGIN
    IF to_regclass(name || '_expired') IS NULL THEN
        RAISE EXCEPTION 'what stays of the week of % was not set apart', week USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('usage_record partitions'));
    EXECUTE format('ALTER TABLE usage_record DETACH PARTITION %I', name);
    EXECUTE format('DROP TABLE %I', name);
    IF to_regclass(fresh) IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I RENAME TO %I', fresh, name);
        PERFORM usage_attach_partition(name, week);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT of_this_week', name);
    END IF;
END $$;

-- Frees the ids of what went, also of a week whose retention was interrupted after the swap.
CREATE FUNCTION usage_free_expired() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    expired text;
BEGIN
    FOR expired IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname ~ '^usage_record_[0-9]{{8}}_expired$'
    LOOP
        EXECUTE format(
            'DELETE FROM usage_record_key k USING %I e
             WHERE k.organization_id = e.organization_id AND k.key = e.key AND k.occurred_at = e.occurred_at', expired
        );
        EXECUTE format('DROP TABLE %I', expired);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION
    usage_holders(date, bigint[]), usage_set_apart(date, bigint[]), usage_swap(date), usage_free_expired() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    usage_holders(date, bigint[]), usage_set_apart(date, bigint[]), usage_swap(date), usage_free_expired() TO {app};
