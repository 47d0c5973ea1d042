"""Writing one export, from the claim to the file."""

from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError

from core.periods import Period
from organizations.models import Organization
from organizations.tenancy import tenant_scope
from usage.exports import files, services
from usage.exports.catalogue import Dataset, Source, datasets
from usage.exports.formats import FORMATS, Writer
from usage.exports.pulse import Lost, Pulse
from usage.exports.sweep import start_waiting
from usage.exports.tally import Tally
from usage.models import Export

TOO_LONG: Final = "It took longer than an export may: ask for a shorter window."
BROKEN: Final = "It could not be written. The reason is in the server's log; ask for it again."

log: Final = structlog.get_logger(__name__)


def run_export(export_id: UUID, organization_id: int) -> int:
    """Write the export if nobody else does, and return how many rows that were.

    What the database causes is left to the sweep, which has it tried again; other faults fail the export.
    """
    export = services.claim(export_id=export_id, organization_id=organization_id)
    if export is None:
        return 0
    try:
        return _write(export)
    except Lost:
        log.warning("export was taken back from its worker", export=str(export.pk))
    except (DatabaseError, InterfaceError):
        log.exception("export lost the database", export=str(export.pk))
    except SoftTimeLimitExceeded:
        services.fail(export, TOO_LONG)
    except Exception:
        log.exception("export failed", export=str(export.pk))
        services.fail(export, BROKEN)
    finally:
        start_waiting()
    return 0


def _write(export: Export) -> int:
    dataset = datasets()[export.dataset]
    tally = Tally(dataset.columns, dataset.row_name)
    with files.workspace(export.pk, export.attempts) as directory, Pulse(export) as pulse:
        path = directory / f"export.{export.format}"
        _fill(export, dataset, path, tally, pulse)
        size = path.stat().st_size
        pulse.check()
        name = files.keep(
            path, organization_id=export.organization_id, export_id=export.pk, attempt=export.attempts
        )
    if not services.finish(export, file=name, rows=tally.rows, size=size, sums=tally.sums()):
        files.storage().delete(name)
        raise Lost
    return tally.rows


def _fill(export: Export, dataset: Dataset, path: Path, tally: Tally, pulse: Pulse) -> None:
    writer = FORMATS[export.format].open(path, dataset.columns)
    try:
        _copy(export, dataset, writer, tally, pulse)
        writer.finish()
    except BaseException:
        writer.discard()
        raise


def _copy(export: Export, dataset: Dataset, writer: Writer, tally: Tally, pulse: Pulse) -> None:
    with tenant_scope(export.organization_id, snapshot=True):
        source = _source(export)
        pulse.rows_total = dataset.size(source)
        for batch in dataset.batches(source):
            pulse.check()
            writer.write(batch)
            tally.add(batch)
            pulse.rows_done = tally.rows
    if pulse.rows_total not in (None, tally.rows):
        log.error(
            "export differs from the totals", export=str(export.pk), rows=tally.rows, total=pulse.rows_total
        )


def _source(export: Export) -> Source:
    organization = Organization.objects.get(pk=export.organization_id)
    return Source(
        organization_id=export.organization_id,
        timezone=export.timezone,
        rollup_timezone=organization.rollup_timezone,
        currency=organization.currency,
        period=Period(export.window_start, export.window_end),
    )
