"""The demo organization of an empty start, and its sign-in, kept so that they can be shown again."""

from __future__ import annotations

import io
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.core.management import call_command, get_commands

from organizations.models import Organization
from organizations.tenancy import system_scope

FILE = "demo.json"
NAME = "Acme Demo"
OWNER = "owner@demo.example"
PLAN = "enterprise"
LOADER = "load_demo"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """How to get into the demo organization."""

    organization: str
    owner: str
    password: str
    api_key: str


def ensure(data: Path) -> Demo | None:
    """Return the demo's sign-in, making the organization when there is none at all yet."""
    kept = read(data)
    with system_scope():
        slugs = set(Organization.objects.values_list("slug", flat=True))
    if kept is not None and kept.organization in slugs:
        return kept
    return None if slugs else _create(data)


def read(data: Path) -> Demo | None:
    """Return the sign-in kept in the data directory, if there is one."""
    try:
        return Demo(**json.loads((data / FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _create(data: Path) -> Demo:
    output = io.StringIO()
    call_command("create_organization", NAME, "--plan", PLAN, "--owner", OWNER, "--json", stdout=output)
    made = json.loads(output.getvalue())
    demo = Demo(
        organization=made["organization"],
        owner=made["owner"],
        password=made["password"],
        api_key=made["apiKey"],
    )
    _keep(data, demo)
    if LOADER in get_commands():
        call_command(LOADER, "--organization", demo.organization)
    return demo


def _keep(data: Path, demo: Demo) -> None:
    path = data / FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(demo), file, indent=2)
