"""What spend limits decide, as events: each warning, each pause, and their ends."""

from django.db import connection

_TELL_AGAIN = """
INSERT INTO alerts_limitnotice (decision_id, organization_id)
SELECT max(d.id), d.organization_id
FROM billing_spend_limit l JOIN billing_decision d
  ON d.organization_id = l.organization_id AND d.credential_id IS NOT DISTINCT FROM l.credential_id
 AND (d.kind = 'warned' AND d.threshold = ANY (l.warned) OR d.kind = 'paused' AND l.state = 'paused')
WHERE l.organization_id = %s
GROUP BY d.organization_id, l.id, d.kind, d.threshold
ON CONFLICT DO NOTHING
"""


def tell_again(organization_id: int) -> None:
    """Have told what the limits have announced and still holds.

    Tenancy: call in the tenant's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TELL_AGAIN, [organization_id])
