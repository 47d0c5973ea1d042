-- Invoices: drafts change, what is issued does not. A document is issued with lines that add up to it, and with the
-- next number of its organization's year.

CREATE FUNCTION billing_invoice_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'issued invoices are immutable: each begins as a draft' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'issued' THEN
        RAISE EXCEPTION 'issued invoices are immutable: % refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.state = 'issued' THEN
        IF NEW.lines_nanos <> (
            SELECT coalesce(sum(cost_nanos), 0) FROM billing_invoiceline WHERE invoice_id = NEW.id
        ) THEN
            RAISE EXCEPTION 'the lines of an invoice add up to it'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_lines_add_up';
        END IF;
        IF NEW.sequence IS DISTINCT FROM (
            SELECT coalesce(max(sequence), 0) + 1 FROM billing_invoice
            WHERE organization_id = NEW.organization_id AND year = NEW.year
        ) THEN
            RAISE EXCEPTION 'invoices are numbered without gaps'
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'invoice_sequence_without_gaps';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_kept BEFORE INSERT OR UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_keep();

CREATE FUNCTION billing_invoice_line_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line billing_invoiceline := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    -- Held until the transaction ends, so that nobody issues the invoice meanwhile.
    PERFORM FROM billing_invoice AS invoice
    WHERE invoice.id = line.invoice_id AND invoice.organization_id = line.organization_id AND invoice.state = 'draft'
    FOR SHARE;
    IF NOT FOUND OR (TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id) THEN
        RAISE EXCEPTION 'issued invoices are immutable: % of a line refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN line;
END $$;
CREATE TRIGGER invoice_line_kept BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_line_keep();

CREATE FUNCTION billing_invoice_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'issued invoices are immutable: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER invoice_not_truncated BEFORE TRUNCATE ON billing_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION billing_invoice_refuse();
CREATE TRIGGER invoice_line_not_truncated BEFORE TRUNCATE ON billing_invoiceline
    FOR EACH STATEMENT EXECUTE FUNCTION billing_invoice_refuse();
