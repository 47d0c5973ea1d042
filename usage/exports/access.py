"""What a caller may do with exports: which datasets they may read, over which window, and their files."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.http import FileResponse

from core import clock
from core.periods import Period
from core.problems import Problem, invalid_field
from organizations.roles import Scope
from organizations.tenancy import Caller
from usage import reading
from usage.answers import exports as export_answers
from usage.exports import files, services
from usage.exports.catalogue import datasets
from usage.exports.formats import FORMATS
from usage.exports.queries import export_of
from usage.models import Export, ExportState

RETRY_SECONDS: Final = 5
BLOCK_BYTES: Final = 256 * 1024
"""How much of a file is read at once."""


class Download(FileResponse):
    """A file as an attachment, read in large pieces."""

    block_size = BLOCK_BYTES


def readable(caller: Caller) -> tuple[str, ...]:
    """Return the names of the datasets that the caller may read."""
    return tuple(name for name, dataset in datasets().items() if dataset.scope in caller.scopes)


def window(caller: Caller, start: datetime | None, end: datetime | None) -> Period:
    """Return the window of an export, by default the whole history, cut off where that begins.

    Raises: `Problem` 422 when it ends before it starts.
    """
    now = clock.now()
    since = reading.history_of(caller, now)
    everything = reading.all_history(since, now)
    first, last = start or everything.start, end or everything.end
    if last <= first:
        raise invalid_field(
            "/to" if end else "/from", "invalid_window", "The window must end after it starts."
        )
    return Period(max(first, since), max(last, since))


def export_for(caller: Caller, export_id: UUID) -> Export:
    """Return an export of a dataset that the caller may read.

    Raises: `Problem` 404, or 403 naming the scope.
    Tenancy: call in the tenant's scope.
    """
    export = export_of(caller.organization_id, export_id)
    dataset = datasets().get(export.dataset)
    caller.require(dataset.scope if dataset else Scope.BILLING_READ)
    return export


def download(caller: Caller, export: Export) -> FileResponse:
    """Return the answer that an export's file is.

    Raises: `Problem` 409 while there is none, 410 when it is gone.
    """
    if export.state != ExportState.DONE or export.expires_at is None:
        raise _not_there(export)
    if export.expires_at <= clock.now():
        raise _expired()
    try:
        file = files.storage().open(export.file)
    except FileNotFoundError as error:
        raise _expired() from error
    return Download(
        file,
        as_attachment=True,
        filename=export_answers.file_name(export, caller.organization),
        content_type=FORMATS[export.format].media_type,
    )


def _not_there(export: Export) -> Problem:
    if export.state == ExportState.EXPIRED:
        return _expired()
    if export.state == ExportState.FAILED:
        return Problem(status=409, code="export_failed", detail=f"The export failed. {export.error}")
    return Problem(
        status=409,
        code="export_not_ready",
        detail=f"The export is {export.state}: its file is there when its state is done.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _expired() -> Problem:
    detail = f"The file was kept for {services.KEPT.days} days and is gone: ask for the export again."
    return Problem(status=410, code="export_expired", detail=detail)
