"""The user PostgreSQL runs as when root starts it, which PostgreSQL itself refuses to be."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from config.embedded.process import Account, ServerError

NAME = "pgserver"
SEARCH = 0o001
READ = 0o004
READ_AND_SEARCH = 0o005


def postgres_account() -> Account | None:
    """Return the user for PostgreSQL, made when it is missing; none when this process isn't root's."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _create()
        entry = pwd.getpwnam(NAME)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def open_path(directory: Path) -> None:
    """Let other users pass through the directories above `directory`, without letting them list any."""
    for parent in directory.parents:
        mode = parent.stat().st_mode
        if not mode & SEARCH:
            parent.chmod(mode | SEARCH)


def open_programs(programs: Path) -> None:
    """Let other users run an installed wheel's programs and read its libraries, whatever the umask was."""
    package = programs.parent.parent
    open_path(programs)
    for part in (programs.parent, package.with_name(f"{package.name}.libs")):
        if part.is_dir() and part.stat().st_mode & READ_AND_SEARCH != READ_AND_SEARCH:
            _open_tree(part)


def _open_tree(directory: Path) -> None:
    for path in directory.rglob("*"):
        mode = path.stat().st_mode
        path.chmod(mode | (READ_AND_SEARCH if path.is_dir() or mode & 0o100 else READ))
    # Last, since its mode says that the whole tree is open.
    directory.chmod(directory.stat().st_mode | READ_AND_SEARCH)


def _create() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        message = (
            f"PostgreSQL refuses to run as root, and the user {NAME} can't be made: run as another user."
        )
        raise ServerError(message) from error
