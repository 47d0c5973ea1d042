"""The life of an import: uploaded, chosen for, started, claimed by one worker, ended or taken back, expired.

Every change of state is a compare-and-set, so that of two who try the same one only one succeeds. What a
worker writes names its attempt: once the import was taken back from it or cancelled, its writes change
nothing. What a batch counts is written in the batch's own transaction, so its records come to nothing too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files import File
from django.db import connection, transaction
from django.db.models import F

from core import clock
from organizations.models import Credential
from organizations.services.locks import lock_organization
from organizations.tenancy import Caller, system_scope, tenant_scope
from usage.imports.errors import ImportProblem
from usage.imports.jobs import files
from usage.imports.jobs.choice import Choice
from usage.imports.jobs.queue import enqueue
from usage.imports.jobs.refusals import Refusal
from usage.imports.jobs.sample import head_of, sample_of
from usage.models import Import, ImportState

AHEAD: Final = (ImportState.DRAFT, ImportState.QUEUED, ImportState.RUNNING)
UNDER_WAY: Final = (ImportState.QUEUED, ImportState.RUNNING)
ENDED: Final = (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)
MOST_AHEAD: Final = 5
"""Imports that an organization can have as drafts, queued or running."""
DRAFT_KEPT: Final = timedelta(days=1)
KEPT: Final = timedelta(days=7)
"""How long refused lines are kept."""
STALE: Final = timedelta(seconds=60)
"""Without a sign of life for so long, a worker is taken for lost."""
MOST_ATTEMPTS: Final = 3
LOST: Final = f"Its worker was lost {MOST_ATTEMPTS} times."
_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come: bytes of its file, what became of its lines, and the records' moments."""

    read: int
    accepted: int
    duplicates: int
    rejected: int
    first_at: datetime | None
    last_at: datetime | None
    refusals: tuple[Refusal, ...]


def receive(*, caller: Caller, name: str, file: "File[Any]") -> Import:
    """Keep an uploaded file as a draft, with what its columns are called taken for what they are.

    Raises: `ImportProblem` for a file that can't be imported, or while too many are ahead.
    Tenancy: call in the tenant's scope.
    """
    _refuse_too_many(caller.organization_id)
    size = file.size or 0
    sample = sample_of(head_of(files.source_of(file, size)))
    file.seek(0)
    import_id = uuid4()
    kept = files.keep_upload(file, organization_id=caller.organization_id, import_id=import_id)
    try:
        with transaction.atomic():
            lock_organization(caller.organization_id)
            _refuse_too_many(caller.organization_id)
            return Import.objects.create(
                pk=import_id,
                organization_id=caller.organization_id,
                name=name[:_MAX_NAME],
                file=kept,
                size=size,
                chosen=Choice({column.name: column.field for column in sample.columns}).kept(),
                credential=_oldest_key(caller.organization_id),
                requested_by_id=caller.user_id,
                expires_at=clock.now() + DRAFT_KEPT,
            )
    except BaseException:
        files.remove(kept)
        raise


def choose(draft: Import, *, choice: Choice, credential: Credential | None, timezone: str) -> bool:
    """Keep what was chosen for a draft; False when it is none any more."""
    kept: dict[str, Any] = {"chosen": choice.kept(), "credential": credential, "timezone": timezone}
    changed = _changed(draft, (ImportState.DRAFT,), **kept)
    for name, value in kept.items() if changed else ():
        setattr(draft, name, value)
    return changed


def start(draft: Import) -> bool:
    """Have a draft imported as it was chosen; False when it is none any more."""
    started = _changed(draft, (ImportState.DRAFT,), state=ImportState.QUEUED, expires_at=None)
    if started:
        transaction.on_commit(partial(enqueue, draft.pk, draft.organization_id))
    return started


def cancel(one: Import) -> bool:
    """End an import that is not over: what was taken in stays. False when it has ended."""
    with tenant_scope(one.organization_id):
        if Import.objects.filter(pk=one.pk, state=ImportState.DRAFT).delete()[0]:
            transaction.on_commit(partial(files.remove, one.file))
            return True
    cancelled = _changed(one, UNDER_WAY, state=ImportState.CANCELLED, **_over())
    if cancelled:
        transaction.on_commit(partial(clear, one))
    return cancelled


def claim(*, import_id: UUID, organization_id: int) -> Import | None:
    """Take a queued import for this worker; None when it isn't queued, or as many as may are running.

    Concurrency: claims take turns, so that there are never more than ``IMPORTS_AT_ONCE``.
    """
    with system_scope():
        _lock_claims()
        if Import.objects.filter(state=ImportState.RUNNING).count() >= settings.IMPORTS_AT_ONCE:
            return None
        mine = Import.objects.filter(pk=import_id, organization_id=organization_id)
        now = clock.now()
        claimed = mine.filter(state=ImportState.QUEUED).update(
            state=ImportState.RUNNING,
            attempts=F("attempts") + 1,
            started_at=now,
            heartbeat_at=now,
            read=0,
            duplicates=0,
            rejected=0,
            refusals=[],
        )
        return mine.select_related("organization__plan", "credential").get() if claimed else None


def beat(one: Import) -> bool:
    """Give a sign of life; False when the import is no longer this attempt's."""
    return _written(one, heartbeat_at=clock.now())


def note(one: Import, progress: Progress) -> bool:
    """Note how far it has come; False when the import is no longer this attempt's.

    Concurrency: in the transaction of a batch, so that a batch is counted if and only if it is stored.
    """
    return _written(one, heartbeat_at=clock.now(), **_values(progress))


def finish(one: Import, *, refusals_file: str, beyond: Iterable[str]) -> bool:
    """Have the import done; False when it is no longer this attempt's."""
    return _end(
        one,
        state=ImportState.DONE,
        read=one.size,
        refusals_file=refusals_file,
        beyond=list(beyond),
        error="",
    )


def fail(one: Import, error: str, *, refusals_file: str = "") -> bool:
    """Give the import up, what was taken in stays; False when it is no longer this attempt's."""
    return _end(one, state=ImportState.FAILED, refusals_file=refusals_file, error=error)


def leave(one: Import, *, refusals_file: str) -> bool:
    """Add the refused lines of an attempt that was cancelled; False when it was ended otherwise."""
    with tenant_scope(one.organization_id):
        mine = Import.objects.filter(pk=one.pk, state=ImportState.CANCELLED, attempts=one.attempts)
        return mine.update(refusals_file=refusals_file) == 1


def take_back(one: Import) -> bool:
    """Take an import from a worker that was lost: queued again, or failed when that was its last attempt.

    Concurrency: nothing happens, and False is returned, if the worker has given a sign of life meanwhile.
    """
    seen = {"attempts": one.attempts, "heartbeat_at": one.heartbeat_at}
    if one.attempts < MOST_ATTEMPTS:
        return _changed(one, (ImportState.RUNNING,), state=ImportState.QUEUED, seen=seen)
    failed = _changed(one, (ImportState.RUNNING,), state=ImportState.FAILED, error=LOST, seen=seen, **_over())
    if failed:
        clear(one)
    return failed


def clear(one: Import) -> None:
    """Remove the file of an import that has ended."""
    # The file first: that it is gone already does no harm, a file without its name is found later only.
    files.remove(one.file)
    _changed(one, ENDED, file="")


def expire(one: Import) -> bool:
    """Remove what was kept only for a time: a draft, or the refused lines of an import that has ended."""
    if one.state == ImportState.DRAFT:
        return cancel(one)
    files.remove(one.refusals_file)
    return _changed(one, ENDED, refusals=[], refusals_file="", expires_at=None)


def _end(one: Import, **values: Any) -> bool:
    ended = _written(one, **values, **_over())
    if ended:
        clear(one)
    return ended


def _over() -> dict[str, Any]:
    now = clock.now()
    return {"finished_at": now, "expires_at": now + KEPT}


def _values(progress: Progress) -> dict[str, Any]:
    values = {name: getattr(progress, name) for name in Progress.__dataclass_fields__}
    return {**values, "refusals": [list(refusal) for refusal in progress.refusals]}


def _written(one: Import, **values: Any) -> bool:
    return _changed(one, (ImportState.RUNNING,), seen={"attempts": one.attempts}, **values)


def _changed(
    one: Import, states: Iterable[ImportState], *, seen: dict[str, Any] | None = None, **values: Any
) -> bool:
    with tenant_scope(one.organization_id):
        mine = Import.objects.filter(pk=one.pk, state__in=list(states), **(seen or {}))
        return mine.update(**values) == 1


def _lock_claims() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('usage_import claims'))")


def _oldest_key(organization_id: int) -> Credential | None:
    active = Credential.objects.filter(organization_id=organization_id, revoked_at=None)
    return active.order_by("created_at", "pk").first()


def _refuse_too_many(organization_id: int) -> None:
    ahead = Import.objects.filter(organization_id=organization_id, state__in=AHEAD).count()
    if ahead >= MOST_AHEAD:
        raise ImportProblem(
            f"{ahead} imports are drafts or under way, as many as an organization can have: "
            "wait for one of them, or discard a draft."
        )
