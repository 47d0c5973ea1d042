"""Where the files of imports are: uploads and refused lines in a storage, what a worker writes beside it."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

from usage.imports.errors import ImportProblem
from usage.imports.source import Source

STORAGE: Final = "imports"
PACKING: Final = 20
"""How many times its size a file may have once it is unpacked, at most."""


def storage() -> Storage:
    """Return the storage of uploads and refused lines."""
    return storages[STORAGE]


def keep_upload(file: "File[Any]", *, organization_id: int, import_id: UUID) -> str:
    """Put an uploaded file into the storage and return its name there."""
    Path(settings.IMPORT_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
    return storage().save(f"{organization_id}/{import_id}", file)


def keep_refusals(path: Path, *, organization_id: int, import_id: UUID, attempt: int) -> str:
    """Put an attempt's refused lines into the storage and return their name there."""
    with path.open("rb") as file:
        return storage().save(f"{organization_id}/{import_id}-{attempt}{path.suffix}", File(file))


def remove(name: str) -> None:
    """Remove a file from the storage; that it is gone already is as good."""
    if name:
        storage().delete(name)


@contextmanager
def opened(name: str, size: int) -> Iterator[Source]:
    """Open an upload.

    Raises: `ImportProblem` when it is gone.
    """
    try:
        file = storage().open(name)
    except FileNotFoundError as error:
        raise ImportProblem("The file is gone. Upload it again.") from error
    with file:
        yield source_of(file, size)


def source_of(file: "File[Any]", size: int) -> Source:
    """Return the lines of a file that is open."""
    inner = cast("io.BufferedIOBase", file.file)
    return Source(inner, size, most=PACKING * settings.IMPORT_MAX_BYTES)


@contextmanager
def workspace(import_id: UUID, attempt: int) -> Iterator[Path]:
    """Yield a directory for the files of one attempt, which goes away with all that is left in it."""
    directory = Path(settings.IMPORT_WORK_DIR) / f"{import_id}-{attempt}"
    # Each by itself, since what is made on the way to a directory is open to everybody.
    for each in (Path(settings.IMPORT_DIR), Path(settings.IMPORT_WORK_DIR), directory):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def older_than(moment: datetime) -> list[str]:
    """Return the names of what has been in the storage since before a moment."""
    kept = storage()
    if not Path(settings.IMPORT_DIR).is_dir():
        return []
    owners = [name for name in kept.listdir("")[0] if name.isdecimal()]
    names = [f"{owner}/{name}" for owner in owners for name in kept.listdir(owner)[1]]
    return [name for name in names if kept.get_modified_time(name) < moment]
