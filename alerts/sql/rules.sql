-- What a spend limit decides is to be told: it is written down with the decision, by whoever takes it.

CREATE FUNCTION alerts_note_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO alerts_limitnotice (decision_id, organization_id) VALUES (NEW.id, NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_note_decision AFTER INSERT ON billing_decision
    FOR EACH ROW WHEN (NEW.kind IN ('warned', 'paused')) EXECUTE FUNCTION alerts_note_decision();
