-- What was told stays what it was: an event only gets its end, a delivery only goes on, an attempt only ends.

CREATE FUNCTION alerts_keep_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.resolved_at IS NULL AND to_jsonb(NEW) - 'resolved_at' = to_jsonb(OLD) - 'resolved_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events are immutable but for their end' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER alerts_event_immutable BEFORE UPDATE ON alerts_event
    FOR EACH ROW WHEN (NEW IS DISTINCT FROM OLD) EXECUTE FUNCTION alerts_keep_event();

CREATE FUNCTION alerts_keep_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Deleting a channel takes it out of the deliveries that name it.
    IF NEW.channel_id IS NOT NULL AND NEW.channel_id IS DISTINCT FROM OLD.channel_id
        OR OLD.state <> 'pending' AND NEW.channel_id IS NOT DISTINCT FROM OLD.channel_id
        OR (NEW.id, NEW.organization_id, NEW.notice, NEW.channel_kind, NEW.channel_name, NEW.recipient,
            NEW.lane, NEW.payload, NEW.created_at)
            <> (OLD.id, OLD.organization_id, OLD.notice, OLD.channel_kind, OLD.channel_name, OLD.recipient,
                OLD.lane, OLD.payload, OLD.created_at)
        OR NEW.event_id IS DISTINCT FROM OLD.event_id
    THEN
        RAISE EXCEPTION 'deliveries are immutable but for their progress' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER alerts_delivery_immutable BEFORE UPDATE ON alerts_delivery
    FOR EACH ROW WHEN (NEW IS DISTINCT FROM OLD) EXECUTE FUNCTION alerts_keep_delivery();

CREATE FUNCTION alerts_keep_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome = 'underWay' AND (NEW.id, NEW.organization_id, NEW.delivery_id, NEW.number, NEW.started_at)
        = (OLD.id, OLD.organization_id, OLD.delivery_id, OLD.number, OLD.started_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'attempts are immutable once they ended' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER alerts_attempt_immutable BEFORE UPDATE ON alerts_attempt
    FOR EACH ROW WHEN (NEW IS DISTINCT FROM OLD) EXECUTE FUNCTION alerts_keep_attempt();

REVOKE DELETE ON alerts_event, alerts_delivery, alerts_attempt FROM {app};
