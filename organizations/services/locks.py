"""The lock that makes changes to one organization's people and terms take turns."""

from core.problems import not_found
from organizations.models import Organization


def lock_organization(organization_id: int) -> Organization:
    """Return the organization, held until the transaction ends.

    Raises: `Problem` 404 when the scope does not show it.
    Concurrency: lets foreign keys to the organization be written meanwhile.
    """
    try:
        return Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    except Organization.DoesNotExist as error:
        raise not_found("There is no such organization.") from error
