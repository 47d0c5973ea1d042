"""What has to be there before the first request: roles, tables, static files."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from billing.models import Price
from organizations.tenancy import system_scope
from usage.tasks import make_partitions

FINGERPRINT = ".fingerprint"


def database() -> None:
    """Make roles, database and partitions where they are missing, and bring the tables up to date."""
    call_command("bootstrap_database", stdout=io.StringIO())
    if unapplied():
        call_command("migrate", interactive=False, verbosity=1)
    # The schedule makes them too, but a machine that was off for weeks must not wait for its next turn.
    make_partitions()


def prices() -> bool:
    """Read the installed price list into a price book that is empty, and return whether it was."""
    with system_scope():
        if Price.objects.exists():
            return False
    call_command("import_prices", stdout=io.StringIO())
    return True


def unapplied() -> bool:
    """Return whether a migration is waiting."""
    executor = MigrationExecutor(connections["owner"])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def static_files() -> None:
    """Collect the static files, unless they are those collected last time."""
    call_command("build_assets", verbosity=0)
    note = Path(settings.STATIC_ROOT) / FINGERPRINT
    current = fingerprint()
    if note.is_file() and note.read_text() == current:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    note.write_text(current)


def fingerprint() -> str:
    """Return a digest of every static file's name, size and time, and of the storage they go through."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
