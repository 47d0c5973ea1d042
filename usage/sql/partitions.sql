-- Partitions belong to the owner, who alone may make and drop them; the application asks through these functions.

CREATE FUNCTION usage_partition_name(week date) RETURNS text
    LANGUAGE sql IMMUTABLE RETURN 'usage_record_' || to_char(week, 'YYYYMMDD');

-- Makes the partition of the week that begins on the given Monday (UTC); false when it was there already.
CREATE FUNCTION usage_make_partition(week date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    name text := usage_partition_name(week);
BEGIN
    IF extract(isodow FROM week) <> 1 THEN
        RAISE EXCEPTION 'a partition begins on a Monday, % is none', week USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('usage_record partitions'));
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM usage_attach_partition(name, week);
    RETURN true;
END $$;

-- Attaching takes a weaker lock than CREATE … PARTITION OF: reading and writing go on meanwhile.
CREATE FUNCTION usage_attach_partition(name text, week date) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE usage_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    END IF;
    EXECUTE format('REVOKE ALL ON %I FROM {app}', name);
    EXECUTE format(
        'ALTER TABLE usage_record ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, week::timestamptz, (week + 7)::timestamptz
    );
    -- The parent's trigger is not asked when a partition is truncated by its own name.
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER usage_record_not_truncated BEFORE TRUNCATE ON %I
         FOR EACH STATEMENT EXECUTE FUNCTION usage_refuse_change()', name
    );
END $$;
REVOKE ALL ON FUNCTION usage_attach_partition(text, date) FROM PUBLIC;

-- Which weeks have a partition.
CREATE FUNCTION usage_partition_weeks() RETURNS SETOF date LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD')
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'usage_record'::regclass
    ORDER BY 1;
END;

-- Removes from one week the records of the organizations no longer entitled to it, with their keys, and returns
-- whose records went. The week is replaced as a whole: what is still entitled moves to a new partition, then the
-- old one is dropped. Late writers of this one week wait meanwhile; readers don't until the swap.
CREATE FUNCTION usage_drop_expired(week date, in_keep bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    name text := usage_partition_name(week);
    old_name text := name || '_expired';
    expired bigint[];
    kept boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_record partitions'));
    IF to_regclass(name) IS NULL THEN
        RETURN '{{}}';
    END IF;
    PERFORM set_config('headroom.system', 'on', true);
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', name);
    EXECUTE format(
        'SELECT coalesce(array_agg(DISTINCT organization_id), ''{{}}'') FROM %I WHERE organization_id <> ALL ($1)', name
    ) INTO expired USING in_keep;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE organization_id = ANY ($1))', name) INTO kept USING in_keep;
    IF kept AND cardinality(expired) = 0 THEN
        RETURN expired;
    END IF;
    EXECUTE format(
        'DELETE FROM usage_record_key k USING %I r
         WHERE k.organization_id = r.organization_id AND k.key = r.key AND r.organization_id <> ALL ($1)', name
    ) USING in_keep;
    EXECUTE format('ALTER TABLE usage_record DETACH PARTITION %I', name);
    IF kept THEN
        EXECUTE format('ALTER TABLE %I RENAME TO %I', name, old_name);
        EXECUTE format('CREATE TABLE %I (LIKE usage_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE organization_id = ANY ($1)', name, old_name) USING in_keep;
        PERFORM usage_attach_partition(name, week);
        EXECUTE format('DROP TABLE %I', old_name);
    ELSE
        EXECUTE format('DROP TABLE %I', name);
    END IF;
    RETURN expired;
END $$;

REVOKE ALL ON FUNCTION usage_make_partition(date), usage_drop_expired(date, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_make_partition(date), usage_drop_expired(date, bigint[]) TO {app};
