-- What is due is taken in the order in which it is due, but only so much of each lane: a receiver that does not
-- answer keeps no other waiting. What another worker is just taking is passed over.
WITH due AS (
    SELECT id, row_number() OVER (PARTITION BY lane ORDER BY due_at, created_at, id) AS place
    FROM alerts_delivery
    WHERE state = 'pending' AND due_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
), taken AS (
    SELECT d.id
    FROM alerts_delivery d JOIN due USING (id)
    WHERE due.place <= %(of_a_lane)s
        AND d.state = 'pending' AND d.due_at <= %(now)s AND (d.leased_until IS NULL OR d.leased_until <= %(now)s)
    ORDER BY d.due_at, d.created_at, d.id
    LIMIT %(most)s
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE alerts_delivery d
SET leased_until = %(until)s, attempt_count = d.attempt_count + 1
FROM taken WHERE d.id = taken.id
RETURNING d.id
