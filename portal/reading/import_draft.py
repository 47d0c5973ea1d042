"""What a draft of an import shows: its columns, the fields they fill, and what its lines would become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from core import clock
from core.periods import zone
from organizations.models import Credential, Organization
from organizations.tenancy import Caller
from portal import numbers, times
from portal.forms_imports import MappingForm, initial_of
from portal.measures import NONE
from portal.tables import Cell, Column, Table
from usage.batch import Row
from usage.imports.importer import importing
from usage.imports.jobs import files, services
from usage.imports.jobs.choice import Choice
from usage.imports.jobs.preview import Preview, preview
from usage.imports.jobs.refusals import Refusal
from usage.imports.jobs.sample import Head, Sample, head_of, sample_of
from usage.models import Import

SHOWN: Final = 5
REFUSALS_SHOWN: Final = 10
_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused lines, each with its number, what of it is wrong, and why."""

    caption: str
    lines: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft; without a valid form there is no preview."""

    form: MappingForm
    is_valid: bool
    what: str
    faults: list[tuple[str, str, str]]
    said: str
    tone: str
    notes: list[str]
    records: Table | None
    refused: Refused | None


def read(draft: Import, data: Mapping[str, Any] | None, caller: Caller) -> Draft:
    """Keep what the form says of a draft, if anything, and return it with its preview.

    Raises: `ImportProblem` when the file can't be read.
    Tenancy: call in the tenant's scope.
    """
    with files.opened(draft.file, draft.size) as source:
        head = head_of(source)
    sample = sample_of(head)
    form = _form(draft, sample, data)
    is_valid = form.is_valid() if data is not None else _is_complete(form)
    if not is_valid:
        faults = form.faults() if data is not None else []
        return Draft(form, data is None, _what(sample), faults, "", "", [], None, None)
    if data is not None:
        _keep(draft, form)
    return _with_preview(draft, sample, head, form, caller)


def refused_lines(refusals: Sequence[Refusal], count: int) -> Refused:
    """Return the first of so many refused lines as they are shown."""
    return Refused(
        f"The first {len(refusals)} of {numbers.exact(count)} refused lines"
        if count > len(refusals)
        else "All refused lines",
        [(numbers.exact(one.line), _place(one), one.reason) for one in refusals],
    )


def _place(refusal: Refusal) -> str:
    column = f"column {refusal.column}" if refusal.column else ""
    field = f"field {refusal.field}" if refusal.field else ""
    return ", ".join(filter(None, (column, field)))


def _form(draft: Import, sample: Sample, data: Mapping[str, Any] | None) -> MappingForm:
    initial = {
        **initial_of(Choice.of(draft.chosen), sample.columns),
        "client_id": draft.credential.client_id if draft.credential else "",
        "timezone": draft.timezone,
    }
    return MappingForm(
        data,
        initial=initial,
        columns=sample.columns,
        keys=_keys(draft),
        zones=sorted(available_timezones() | {draft.timezone}),
    )


def _is_complete(form: MappingForm) -> bool:
    """Tell whether what is kept can be previewed, without a word on what nobody chose yet."""
    initial = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    trial = MappingForm(
        {name: value for name, value in initial.items() if value is not None},
        columns=form.columns,
        keys=form.keys,
        zones=form.zones,
    )
    return trial.is_valid()


def _keep(draft: Import, form: MappingForm) -> None:
    chosen = form.cleaned_data
    credential = Credential.objects.filter(
        organization_id=draft.organization_id, client_id=chosen["client_id"]
    ).first()
    services.choose(draft, choice=chosen["choice"], credential=credential, timezone=chosen["timezone"])


def _keys(draft: Import) -> list[tuple[str, str]]:
    active = Credential.objects.filter(organization_id=draft.organization_id, revoked_at=None)
    named = active.order_by("created_at", "pk").values_list("client_id", "name")
    return [(client_id, f"{name} ({client_id})") for client_id, name in named]


def _with_preview(draft: Import, sample: Sample, head: Head, form: MappingForm, caller: Caller) -> Draft:
    choice = Choice.of(draft.chosen)
    now = clock.now()
    organization = Organization.objects.select_related("plan").get(pk=draft.organization_id)
    consumer = importing(organization, draft.credential.client_id if draft.credential else None)
    found = preview(head, choice.mapping(), draft.timezone, consumer, now)
    return Draft(
        form=form,
        is_valid=True,
        what=_what(sample),
        faults=[],
        said=_said(found),
        tone="warn" if found.refused else "success",
        notes=_notes(choice, found, caller),
        records=_records(found.rows[:SHOWN], caller, zone(caller.timezone)),
        refused=refused_lines(found.refused[:REFUSALS_SHOWN], len(found.refused)) if found.refused else None,
    )


def _what(sample: Sample) -> str:
    form = "NDJSON" if sample.form == "ndjson" else "CSV"
    separated = (
        f", separated by {_SEPARATORS.get(sample.separator, sample.separator)}" if sample.separator else ""
    )
    packed = ", compressed with gzip" if sample.is_packed else ""
    return f"{form}{separated}{packed}"


def _said(found: Preview) -> str:
    if not found.lines:
        return "The file has no lines besides its header."
    whole = "The only line was" if found.lines == 1 else f"All {numbers.exact(found.lines)} lines were"
    first = f"The first {numbers.exact(found.lines)} lines were"
    which = f"{whole if found.is_whole else first} checked"
    refused = len(found.refused)
    outcome = f"{numbers.exact(refused)} would be refused" if refused else "none would be refused"
    repeated = f", {numbers.exact(found.repeated)} repeat an id" if found.repeated else ""
    return f"{which}: {outcome}{repeated}."


def _notes(choice: Choice, found: Preview, caller: Caller) -> list[str]:
    notes = []
    if found.rows and "timestamp" not in choice.taken:
        notes.append("No column is the timestamp: every record is dated with the time of the import.")
    if caller.plan.history_days is not None:
        notes.append(
            f"Your plan keeps {caller.plan.history_days} days. Older records are taken in, but not shown, "
            "and are removed again."
        )
    return notes


def _records(rows: list[Row], caller: Caller, tz: ZoneInfo) -> Table | None:
    if not rows:
        return None
    keys = dict(Credential.objects.filter(organization_id=caller.organization_id).values_list("pk", "name"))
    columns = [
        Column("When"),
        Column("Type"),
        Column("API key"),
        Column("Model"),
        Column("Prompt", is_number=True),
        Column("Completion", is_number=True),
    ]
    cells = [
        [
            Cell(times.second(row.occurred_at, tz), exact=row.id),
            Cell(row.type),
            Cell(keys.get(row.credential_id, NONE)),
            Cell(row.model or NONE),
            _tokens(row.prompt_tokens),
            _tokens(row.completion_tokens),
        ]
        for row in rows
    ]
    caption = f"The first records as they would be kept, times in {times.zone_label(tz, rows[0].occurred_at)}"
    return Table("records", caption, columns, cells, stacks=True)


def _tokens(number: int | None) -> Cell:
    return Cell(NONE if number is None else numbers.exact(number), is_number=True)
