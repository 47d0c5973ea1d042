"""What can be found wrong without running a test (`python -m config.verify`, which `make check` calls)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.bootstrap import Roles, bootstrap
from config.databases import parse_address
from config.embedded import EmbeddedPostgres, paths

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent
MANAGE = [PYTHON, "-W", "error", "manage.py"]

STEPS: dict[str, list[str]] = {
    "lint": [str(BIN / "ruff"), "check", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "types": [PYTHON, "-m", "mypy", "."],
    "imports": [str(BIN / "lint-imports"), "--no-cache"],
    "migrate": [*MANAGE, "migrate", "--verbosity", "0"],
    "migrations": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "schema": [*MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
    "deploy": [*MANAGE, "check", "--deploy", "--fail-level", "WARNING", "--database", "default"],
}


def main() -> int:
    """Run every step, show what failed, and return 1 if any did."""
    with production_environment() as environment:
        failed = [name for name, command in STEPS.items() if not _passes(name, command, environment)]
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "everything passed\n")
    return 1 if failed else 0


@contextmanager
def production_environment() -> Iterator[dict[str, str]]:
    """Run a PostgreSQL of its own, and yield the environment of a well-configured production start on it."""
    data = Path(tempfile.mkdtemp(prefix="headroom-check-"))
    server = EmbeddedPostgres(data, durable=False)
    try:
        server.start()
        roles = Roles(
            owner="headroom_owner",
            app="headroom_app",
            lookup="headroom_lookup",
            owner_login="headroom_owner",
            app_login="headroom_app",
        )
        admin = parse_address(server.url(database=paths.SUPERUSER), variable="the embedded PostgreSQL")
        bootstrap(admin, database=paths.DATABASE, roles=roles, embedded=True)
        yield os.environ | sample(data)
    finally:
        server.stop(immediate=True)
        shutil.rmtree(server.sockets, ignore_errors=True)
        shutil.rmtree(data, ignore_errors=True)


def sample(data: Path) -> dict[str, str]:
    """Return a production environment without a mistake in it."""
    return {
        "HEADROOM_PROFILE": "production",
        "HEADROOM_ENV_FILE": os.devnull,
        "HEADROOM_DATA": str(data),
        "SECRET_KEY": "".join(chr(97 + number * 7 % 26) for number in range(40)) + "0123456789-ABCDEFGHIJ",
        "ALLOWED_HOSTS": "headroom.example",
        "CSRF_TRUSTED_ORIGINS": "https://headroom.example",
        "DATABASE_URL": paths.postgres_url(data, user="headroom_app"),
        "DATABASE_OWNER_URL": paths.postgres_url(data, user="headroom_owner"),
        "REDIS_URL": "redis://redis.example:6379/0",
    }


def _passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    outcome = "ok" if done.returncode == 0 else "FAILED"
    sys.stdout.write(f"{name:<11} {outcome:<7} {time.monotonic() - started:5.1f} s\n")
    if done.returncode != 0:
        sys.stdout.write(f"{done.stdout}{done.stderr}\n")
    sys.stdout.flush()
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
