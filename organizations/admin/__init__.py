"""The operator's view of organizations, people, plans, credentials and the audit trail."""

from organizations.admin import people, tenants
from organizations.admin.bases import OperatorAdmin, ReadOnlyAdmin, ReadOnlyInline
from organizations.admin.events import EventAdmin, register_events
from organizations.admin.filters import OrganizationFilter

__all__ = [
    "EventAdmin",
    "OperatorAdmin",
    "OrganizationFilter",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "people",
    "register_events",
    "tenants",
]
