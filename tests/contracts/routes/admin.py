"""The operator's admin: what its own pages ask for, and what may be done to which rows."""

from __future__ import annotations

from typing import Final

from tests.contracts.routes.actors import OPERATORS, SUPERUSER, VIEWER

VIEWERS: Final = frozenset({VIEWER, SUPERUSER})
SUPERUSERS: Final = frozenset({SUPERUSER})
NOBODY: Final[frozenset[str]] = frozenset()

SITE: Final[dict[str, dict[str, frozenset[str]]]] = {
    "admin:index": {"GET": OPERATORS, "POST": OPERATORS},
    "admin:login": {"GET": OPERATORS, "POST": OPERATORS},
    "admin:logout": {"POST": OPERATORS},
    "admin:password_change": {"GET": OPERATORS, "POST": OPERATORS},
    "admin:password_change_done": {"GET": OPERATORS},
    # Only within the question of a row that has such a field: asked by itself it is refused.
    "admin:autocomplete": {"GET": NOBODY},
    "admin:jsi18n": {"GET": OPERATORS},
    "admin:view_on_site": {"GET": OPERATORS, "POST": OPERATORS},
    "admin:app_list": {"GET": VIEWERS, "POST": VIEWERS},
    "admin:(catch_all_view)": {"GET": OPERATORS, "POST": OPERATORS},
    "admin:(view)": {"GET": OPERATORS, "POST": OPERATORS},
    "admin:billing_repricing_progress": {"GET": VIEWERS},
    "admin:billing_repricing_cancel": {"POST": SUPERUSERS},
    "admin:auth_user_password_change": {"GET": SUPERUSERS, "POST": SUPERUSERS},
}
"""Pages that are no model's six; where a page isn't open, operators are refused and all others sign in."""

SEEN: Final = "view"
SEEN_AND_DELETED: Final = "view delete"
MADE: Final = "view add"
MADE_AND_KEPT: Final = "view add change"
ANYTHING: Final = "view add change delete"

MODELS: Final[dict[str, str]] = {
    "alerts_channel": SEEN,
    "alerts_channelevent": SEEN,
    "alerts_delivery": SEEN,
    "alerts_event": SEEN,
    "alerts_report": SEEN,
    "alerts_reportevent": SEEN,
    "alerts_rule": SEEN,
    "alerts_ruleevent": SEEN,
    "alerts_rulestate": SEEN,
    "auth_group": ANYTHING,
    "billing_decision": SEEN,
    "billing_discount": MADE_AND_KEPT,
    "billing_discountevent": SEEN,
    "billing_grant": MADE_AND_KEPT,
    "billing_grantevent": SEEN,
    "billing_invoice": SEEN,
    "billing_ledgeraccount": SEEN,
    "billing_ledgertransaction": SEEN,
    "billing_price": MADE_AND_KEPT,
    "billing_priceevent": SEEN,
    "billing_repricing": MADE,
    "billing_repricingevent": SEEN,
    "billing_reservation": SEEN,
    "billing_spendlimit": SEEN,
    "billing_spendlimitevent": SEEN,
    "mfa_authenticator": SEEN_AND_DELETED,
    "organizations_credential": SEEN,
    "organizations_credentialevent": SEEN,
    "organizations_invitation": SEEN,
    "organizations_invitationevent": SEEN,
    "organizations_membershipevent": SEEN,
    "organizations_organization": MADE_AND_KEPT,
    "organizations_organizationevent": SEEN,
    "organizations_plan": ANYTHING,
    "organizations_planevent": SEEN,
    "organizations_user": MADE_AND_KEPT,
    "socialaccount_socialaccount": SEEN,
    "usage_export": SEEN,
    "usage_import": SEEN,
    "usage_record": SEEN,
    "usersessions_usersession": SEEN,
}
"""What an operator with every permission may do to a model's rows; with the right to see, only that."""

NEEDED: Final[dict[str, dict[str, str]]] = {
    "changelist": {"GET": "view", "POST": "view"},
    "change": {"GET": "view", "POST": "change"},
    "add": {"GET": "add", "POST": "add"},
    "delete": {"GET": "delete", "POST": "delete"},
}
"""What a page of a model asks for; its history asks for a row first, and has a test of its own."""


def admin_table() -> dict[str, dict[str, frozenset[str]]]:
    """Return the whole table: the site's pages, and five of every model."""
    models = {
        f"admin:{model}_{page}": {method: _holders(model, right) for method, right in methods.items()}
        for model in MODELS
        for page, methods in NEEDED.items()
    }
    histories = {f"admin:{model}_history": {"GET": OPERATORS, "POST": OPERATORS} for model in MODELS}
    return {**SITE, **models, **histories}


def _holders(model: str, right: str) -> frozenset[str]:
    if right == "view":
        return VIEWERS
    return SUPERUSERS if right in MODELS[model].split() else NOBODY
