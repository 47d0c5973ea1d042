-- A delivery may be for a recipient of a report; it stays that one's.
CREATE OR REPLACE FUNCTION alerts_keep_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Deleting a channel takes it out of the deliveries that name it.
    IF NEW.channel_id IS NOT NULL AND NEW.channel_id IS DISTINCT FROM OLD.channel_id
        OR OLD.state <> 'pending' AND NEW.channel_id IS NOT DISTINCT FROM OLD.channel_id
        OR (NEW.id, NEW.organization_id, NEW.notice, NEW.channel_kind, NEW.channel_name, NEW.recipient,
            NEW.lane, NEW.payload, NEW.created_at)
            <> (OLD.id, OLD.organization_id, OLD.notice, OLD.channel_kind, OLD.channel_name, OLD.recipient,
                OLD.lane, OLD.payload, OLD.created_at)
        OR NEW.event_id IS DISTINCT FROM OLD.event_id
        OR NEW.subscription IS DISTINCT FROM OLD.subscription
    THEN
        RAISE EXCEPTION 'deliveries are immutable but for their progress' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- Removes the oldest of what an organization was told before a moment, so much at once, and returns how much that
-- was. What is pending stays, and so does an event that a rule holds open; nobody else may delete any of it.
CREATE FUNCTION alerts_drop_expired(in_organization bigint, in_before timestamptz, in_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    expired uuid[];
    ended uuid[];
BEGIN
    SELECT coalesce(array_agg(id), ARRAY[]::uuid[]) INTO expired FROM (
        SELECT id FROM alerts_delivery
        WHERE organization_id = in_organization AND created_at < in_before AND state <> 'pending'
        ORDER BY created_at, id LIMIT in_most FOR UPDATE SKIP LOCKED
    ) AS oldest;
    DELETE FROM alerts_attempt WHERE delivery_id = ANY (expired);
    DELETE FROM alerts_delivery WHERE id = ANY (expired);
    SELECT coalesce(array_agg(id), ARRAY[]::uuid[]) INTO ended FROM (
        SELECT e.id FROM alerts_event e
        WHERE e.organization_id = in_organization AND e.fired_at < in_before
            AND (e.resolved_at < in_before OR e.resolved_at IS NULL
                AND (e.period_end < in_before OR e.period_end IS NULL AND e.rule_id IS NULL))
            AND NOT EXISTS (SELECT FROM alerts_delivery d WHERE d.event_id = e.id)
        ORDER BY e.fired_at, e.id LIMIT in_most FOR UPDATE SKIP LOCKED
    ) AS oldest;
    DELETE FROM alerts_event WHERE id = ANY (ended);
    RETURN cardinality(expired) + cardinality(ended);
END $$;
REVOKE ALL ON FUNCTION alerts_drop_expired(bigint, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alerts_drop_expired(bigint, timestamptz, integer) TO {app};
