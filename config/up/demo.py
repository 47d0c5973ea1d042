"""The demo organization of an empty start, and its sign-ins, kept so that they can be shown again."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.core.management import call_command

from core import clock
from organizations.models import Organization, User
from organizations.services import create_organization
from organizations.tenancy import system_scope
from usage.demo.load import AGE, DAYS, create_demo_organization

FILE = "demo.json"
LOADING = "demo.loading.json"
"""Organizations with the days of usage that they get, there until all of it is loaded."""
OPERATOR = "operator@headroom.example"
SMALL = "Acme Labs"
SMALL_PLAN = "pay-as-you-go"
SMALL_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Demo:
    """How to get into the demo organization, and into the operator's admin."""

    organization: str
    owner: str
    password: str
    api_key: str
    operator: str = ""
    operator_password: str = ""


def ensure(data: Path) -> Demo | None:
    """Return the demo's sign-ins, making the organization when there is none at all yet.

    What was interrupted while its usage was loading is taken up again; a demo without an operator gets one.
    """
    kept = read(data)
    with system_scope():
        slugs = set(Organization.objects.values_list("slug", flat=True))
    if kept is None or kept.organization not in slugs:
        return None if slugs else _create(data)
    if (data / LOADING).exists():
        _fill(data)
    if not kept.operator:
        kept = _with_operator(kept)
        _keep(data, kept)
    return kept


def read(data: Path) -> Demo | None:
    """Return the sign-ins kept in the data directory, if there is one."""
    try:
        return Demo(**json.loads((data / FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _create(data: Path) -> Demo:
    """Make the demo, and a second, smaller organization of the same owner beside it."""
    made = create_demo_organization()
    demo = _with_operator(
        Demo(
            organization=made.organization.slug,
            owner=made.owner.email,
            password=made.password or "",
            api_key=made.issued.key,
        )
    )
    with clock.standing_at(clock.now() - AGE):
        small = create_organization(name=SMALL, plan=SMALL_PLAN, owner_email=demo.owner, currency="EUR")
    days = {demo.organization: DAYS, small.organization.slug: SMALL_DAYS}
    (data / LOADING).write_text(json.dumps(days))
    _keep(data, demo)
    _fill(data)
    return demo


def _with_operator(demo: Demo) -> Demo:
    """Make somebody who runs the whole system, unless that account is there already."""
    with system_scope():
        if User.objects.filter(email=OPERATOR).exists():
            return demo
        password = secrets.token_urlsafe(15)
        User.objects.create_superuser(OPERATOR, password, name="Demo operator")
    return replace(demo, operator=OPERATOR, operator_password=password)


def load(organization: str, days: int) -> None:
    """Give the organization of that slug so many days of usage, or the rest of them."""
    call_command("load_demo", "--organization", organization, "--days", str(days))


def _fill(data: Path) -> None:
    for organization, days in json.loads((data / LOADING).read_text()).items():
        load(organization, days)
    (data / LOADING).unlink()


def _keep(data: Path, demo: Demo) -> None:
    path = data / FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(demo), file, indent=2)
