"""Where exported files are: under way in a directory of their own, finished in a storage of their own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

STORAGE: Final = "exports"


class Finished(File):  # type: ignore[type-arg]
    """A file on this machine; a storage on the same disk takes it over instead of copying it."""

    def __init__(self, file: IO[Any], path: Path) -> None:
        super().__init__(file, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        """Return where it lies."""
        return str(self._path)


def storage() -> Storage:
    """Return the storage of finished files."""
    return storages[STORAGE]


@contextmanager
def workspace(export_id: UUID, attempt: int) -> Iterator[Path]:
    """Yield a directory for the files of one attempt, which goes away with all that is left in it."""
    directory = Path(settings.EXPORT_WORK_DIR) / f"{export_id}-{attempt}"
    # Each by itself, since what is made on the way to a directory is open to everybody.
    for each in (Path(settings.EXPORT_DIR), Path(settings.EXPORT_WORK_DIR), directory):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def keep(path: Path, *, organization_id: int, export_id: UUID, attempt: int) -> str:
    """Put a finished file into the storage and return its name there."""
    with path.open("rb") as file:
        return storage().save(name_of(organization_id, export_id, attempt, path.suffix), Finished(file, path))


def discard(export_id: UUID, organization_id: int, attempt: int, suffix: str) -> None:
    """Remove what an attempt left that was never finished."""
    shutil.rmtree(Path(settings.EXPORT_WORK_DIR) / f"{export_id}-{attempt}", ignore_errors=True)
    storage().delete(name_of(organization_id, export_id, attempt, suffix))


def name_of(organization_id: int, export_id: UUID, attempt: int, suffix: str) -> str:
    """Return the name of an attempt's file in the storage."""
    return f"{organization_id}/{export_id}-{attempt}{suffix}"
