-- Costs given later to records that came without one. The records stay as they are; whatever reads costs adds these.
-- In the order of the records' own listing, so that both can be read side by side.
CREATE TABLE usage_adjustment (
    organization_id bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    key uuid NOT NULL,
    cost_nanos bigint NOT NULL CHECK (cost_nanos >= 0),
    price_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, occurred_at, key)
);

-- An adjustment is made once and stays for as long as its record does.
CREATE FUNCTION usage_keep_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM usage_record r
            WHERE r.organization_id = OLD.organization_id AND r.occurred_at = OLD.occurred_at AND r.key = OLD.key;
        IF NOT FOUND THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'usage adjustments are immutable: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER usage_adjustment_immutable BEFORE UPDATE OR DELETE ON usage_adjustment
    FOR EACH ROW EXECUTE FUNCTION usage_keep_adjustment();
CREATE TRIGGER usage_adjustment_not_truncated BEFORE TRUNCATE ON usage_adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION usage_keep_adjustment();
REVOKE UPDATE, DELETE, TRUNCATE ON usage_adjustment FROM {app};

-- Removes what belonged to the records that retention took with a week.
CREATE FUNCTION usage_drop_adjustments(week date, in_expired bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
BEGIN ATOMIC
    DELETE FROM usage_adjustment
    WHERE organization_id = ANY (in_expired) AND occurred_at >= week::timestamptz
        AND occurred_at < (week + 7)::timestamptz;
END;
REVOKE ALL ON FUNCTION usage_drop_adjustments(date, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_drop_adjustments(date, bigint[]) TO {app};
