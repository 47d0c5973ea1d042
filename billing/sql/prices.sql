-- The price book: what it says is never changed, only superseded, and every change of it has a number.

CREATE FUNCTION billing_price_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'prices are immutable: % of % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Of a price and a discount only the end may be set.
CREATE FUNCTION billing_price_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'effective_until') <> (to_jsonb(OLD) - 'effective_until') THEN
        RAISE EXCEPTION 'prices are immutable: only the end of % can be set', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- A price is made whole, with its rates: none can be added later.
ALTER TABLE billing_price ADD COLUMN made_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE FUNCTION billing_rate_with_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added JOIN billing_price AS price ON price.id = added.price_id
         WHERE price.made_in <> pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'prices are immutable: a price has the rates that it was made with'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rate_with_price AFTER INSERT ON billing_rate
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION billing_rate_with_price();

CREATE TRIGGER price_kept BEFORE UPDATE ON billing_price
    FOR EACH ROW EXECUTE FUNCTION billing_price_keep();
CREATE TRIGGER discount_kept BEFORE UPDATE ON billing_discount
    FOR EACH ROW EXECUTE FUNCTION billing_price_keep();
CREATE TRIGGER rate_kept BEFORE UPDATE ON billing_rate
    FOR EACH ROW EXECUTE FUNCTION billing_price_refuse();
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['billing_price', 'billing_rate', 'billing_discount'] LOOP
        EXECUTE format('CREATE TRIGGER price_stays BEFORE DELETE ON %I
            FOR EACH ROW EXECUTE FUNCTION billing_price_refuse()', name);
        EXECUTE format('CREATE TRIGGER price_not_truncated BEFORE TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION billing_price_refuse()', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM {app}', name);
    END LOOP;
END $$;
GRANT UPDATE (effective_until) ON billing_price, billing_discount TO {app};

-- The rates of the list are everyone's to read, those of an organization's own prices its own.
ALTER TABLE billing_rate ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_rate FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON billing_rate
    USING (EXISTS (SELECT FROM billing_price AS price WHERE price.id = price_id));

-- The number of the book's present state.
CREATE TABLE billing_book (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    version bigint NOT NULL
);
INSERT INTO billing_book (version) VALUES (1);
REVOKE INSERT, DELETE, TRUNCATE ON billing_book FROM {app};

CREATE FUNCTION billing_book_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN hashtextextended('price book', 0);

-- Whoever changes the book waits for those who are storing what they rated by it, and makes the next ones wait.
CREATE FUNCTION billing_book_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(billing_book_lock());
    UPDATE billing_book SET version = version + 1;
    RETURN NULL;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['billing_price', 'billing_discount'] LOOP
        EXECUTE format('CREATE TRIGGER book_changed AFTER INSERT OR UPDATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION billing_book_changed()', name);
    END LOOP;
END $$;

-- Lets a transaction go on only if what it stores was rated by the book as it is, and keeps the book so until its end.
CREATE FUNCTION billing_confirm_book(in_version bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(billing_book_lock());
    IF in_version <> (SELECT version FROM billing_book) THEN
        RAISE EXCEPTION 'the price book has changed' USING ERRCODE = '{outdated}';
    END IF;
END $$;

-- The same behind what was stored, whether or not there is a receipt of anything.
CREATE FUNCTION billing_confirm_rated(in_organization bigint, in_receipt jsonb, in_version jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM billing_confirm_book(in_version::bigint);
END $$;
