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

REVOKE ALL ON FUNCTION usage_make_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_make_partition(date) TO {app};
