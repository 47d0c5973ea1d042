"""The command that reads a file: what it takes in, what it leaves out and what it says."""

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.db.utils import OperationalError
from rich.console import Console

from organizations.models import Credential
from organizations.services import CreatedOrganization, create_credential
from organizations.tenancy import tenant_scope
from tests.usage.imports.support import Run, call, figures, only, stored
from usage import pipeline
from usage.dialects.plain import RecordIn
from usage.imports import report
from usage.imports import run as running
from usage.imports.importer import importing
from usage.models import Record
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db

CSV = """\
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:15:50.9951690,396,109
"""
MAPS = ["timestamp=TIMESTAMP", "tokens.prompt=ContextTokens", "tokens.completion=GeneratedTokens"]
SETS = ["type=conversation.completion"]


def test_a_csv_with_mapped_columns_becomes_records(run: Run, made: CreatedOrganization) -> None:
    assert run(CSV, map=MAPS, set=SETS)[0] == figures(3)
    first, second, third = stored(made)
    assert first.occurred_at == datetime(2023, 11, 16, 18, 15, 46, 680590, UTC)
    assert (first.type, first.prompt_tokens, first.completion_tokens) == ("conversation.completion", 374, 44)
    assert (first.total_tokens, first.count) == (418, 418)
    assert first.credential_id == made.issued.credential.pk
    assert second.occurred_at == third.occurred_at
    assert second.record_id != third.record_id


def test_a_second_run_adds_nothing_and_an_appended_line_is_added(run: Run, made: CreatedOrganization) -> None:
    run(CSV, map=MAPS, set=SETS)
    assert run(CSV, map=MAPS, set=SETS)[0] == figures(0, 3)
    assert run(CSV + "2023-11-16 18:16:00,1,1\n", map=MAPS, set=SETS)[0] == figures(1, 3)
    assert len(stored(made)) == 4


def test_a_line_keeps_its_id_when_another_above_it_is_mended(run: Run) -> None:
    broken = CSV.replace("374,44", "many,44")
    assert run(broken, map=MAPS, set=SETS)[0] == figures(2, 0, 1)
    assert run(CSV, map=MAPS, set=SETS)[0] == figures(1, 2)


def test_the_totals_are_in_the_cubes_and_agree_with_the_records(run: Run, made: CreatedOrganization) -> None:
    run(CSV, map=MAPS, set=SETS)
    assert list(verify(made.organization)) == []
    with tenant_scope(made.organization.pk):
        assert Record.objects.aggregate(tokens=Sum("total_tokens"))["tokens"] == 418 + 505 + 505


def test_the_plan_history_does_not_hinder_the_operator_but_is_told(run: Run) -> None:
    counted, said = run("type,timestamp\nx,2019-01-01T00:00:00Z\n")
    assert counted == figures(1)
    assert "Free keeps 30 days" in said


def test_columns_called_like_fields_need_no_mapping(run: Run, made: CreatedOrganization) -> None:
    header = (
        "id,Type,timestamp,latency_ms,Status Code,tokens.prompt,quantities.pages,meta.team,cost,BOT-ID,note"
    )
    line = "r1,processor.run,2026-01-02T03:04:05+01:00,12.5,200,7,2.5,blue,0.0125000000000,b1,hello"
    counted, said = run(f"{header}\n{line}\n")
    assert counted == figures(1)
    record = only(made)
    assert record.record_id == "r1"
    assert record.occurred_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert (record.latency_us, record.status_code, record.cost_nanos) == (12_500, 200, 12_500_000)
    assert (record.prompt_tokens, record.quantities, record.meta) == (7, {"pages": "2.5"}, {"team": "blue"})
    assert record.links == {"botId": "b1"}
    assert "Left out: note." in said


def test_nested_fields_are_mapped_and_constants_set(run: Run, made: CreatedOrganization) -> None:
    content = "when,p,pages,squad\n1767323045000,12,3,blue\n"
    maps = ["timestamp=when", "tokens.prompt=p", "quantities.pages=pages", "meta.team=squad"]
    sets = ["type=x", "model=gpt-4o", "meta.source=file", "statusCode=201", "quantities.credits=1.5"]
    assert run(content, map=maps, set=sets)[0] == figures(1)
    record = only(made)
    assert record.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (record.model, record.status_code) == ("gpt-4o", 201)
    assert record.quantities == {"pages": 3, "credits": "1.5"}
    assert record.meta == {"team": "blue", "source": "file"}


def test_bad_lines_are_reported_by_number_and_column_and_the_rest_is_kept(run: Run, tmp_path: Path) -> None:
    content = (
        "type,timestamp,tokens.prompt,note\n"
        'x,2026-01-01T00:00:00Z,1,"two\nlines"\n'
        "x,2026-01-01T00:00:00Z,many,\n"
        "\n"
        "x,yesterday,1,\n"
        "x,2026-01-01T00:00:00Z,1\n"
        ",2026-01-01T00:00:00Z,1,\n"
        "x,,1,\n"
        "x,2026-01-01T00:00:00Z,374.0,\n"
    )
    errors = tmp_path / "errors.ndjson"
    counted, said = run(content, errors=str(errors))
    assert counted == figures(2, 0, 5)
    lines = said.splitlines()
    assert lines[1] == "line 4, column tokens.prompt: tokens.prompt must be a whole number, not 'many'."
    assert lines[2].startswith("line 6, column timestamp: Invalid timestamp: 'yesterday' is neither ISO 8601")
    assert lines[3] == "line 7: The row has 3 columns, the header 4."
    assert lines[4] == "line 8, column type: The field 'type' is required."
    assert lines[5] == "line 9, column timestamp: The timestamp is empty."
    written = [json.loads(line) for line in errors.read_text().splitlines()]
    assert [error["line"] for error in written] == [4, 6, 7, 8, 9]
    assert written[0] == {
        "line": 4,
        "column": "tokens.prompt",
        "id": None,
        "code": "invalid",
        "detail": "tokens.prompt must be a whole number, not 'many'.",
        "pointer": "/tokens/prompt",
    }


def test_only_the_first_refusals_are_shown_and_the_others_counted(run: Run, tmp_path: Path) -> None:
    content = "type,timestamp\n" + "x,never\n" * 33 + "x,2026-01-01T00:00:00Z\n"
    errors = tmp_path / "errors.ndjson"
    counted, said = run(content, errors=str(errors))
    assert counted == figures(1, 0, 33)
    assert said.count("\nline ") == 20
    assert "… and 13 more (--errors FILE writes all of them)" in said
    assert len(errors.read_text().splitlines()) == 33


def test_a_file_without_one_good_line_fails_after_telling_why(run: Run) -> None:
    counted, said = run("type,timestamp\nx,never\n")
    assert counted == figures(0, 0, 1)
    assert said.endswith("No line could be taken in.")


def test_a_table_without_rows_is_no_failure(run: Run) -> None:
    assert run("type,timestamp\n")[0] == figures(0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"map": ["bogus=A"]}, "There is no field 'bogus'; accepted: id, type, timestamp, count, clientId,"),
        ({"set": ["tokens.bogus=1"]}, "There is no field 'tokens.bogus'; accepted: id, type,"),
        ({"set": ["quantities.9=1"]}, "There is no field 'quantities.9'"),
        ({"map": ["model=M"]}, "There is no column 'M'; the columns are: type, A, A."),
        ({"map": ["model=A"]}, "The column 'A' is there 2 times"),
        ({"map": ["model"]}, "--map takes FIELD=COLUMN, not 'model'."),
        ({"set": ["model="]}, "--set takes FIELD=VALUE, not 'model='."),
        ({"map": ["type=type"], "set": ["type=x"]}, "The field 'type' is named twice."),
        ({"set": ["statusCode=many"]}, "--set statusCode: statusCode must be a whole number, not 'many'."),
        ({"set": ["statusCode=9"]}, "--set statusCode: Expected `int` >= 100; accepted: "),
        ({"timezone": "Mars/Base"}, "--timezone: 'Mars/Base' is not an IANA time zone"),
        ({"delimiter": "::"}, "--delimiter takes one character, or tab, not '::'."),
        ({"client_id": "cl_x"}, "acme has no credential 'cl_x'; active are: cl_"),
        ({"errors": "/nowhere/at/all"}, "/nowhere/at/all can't be written: No such file or directory."),
    ],
)
def test_a_wrong_argument_is_refused_by_name(run: Run, options: dict[str, Any], reason: str) -> None:
    counted, said = run("type,A,A\nx,1,2\n", **options)
    assert counted == {}
    assert reason in said


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "There is nothing in it."),
        (b"\n  \n", "There is nothing in it."),
        (b"when,model\n", "No column is the type: --map type=COLUMN says which"),
        (
            b"type,latencyMs,latency_ms\n",
            "Both columns 'latencyMs' and 'latency_ms' are called like latencyMs",
        ),
        (b'[{"type": "x"}]', "This is a JSON array; write one object a line"),
        ("type\nx\n".encode("utf-16"), "The file is UTF-16; it must be UTF-8."),
        (
            gzip.compress(b"type\n" + b"x\n" * 9, mtime=0)[:-9],
            "The file can't be read to its end: Compressed file ended",
        ),
    ],
)
def test_a_file_that_can_not_be_read_is_refused(run: Run, content: bytes, reason: str) -> None:
    assert reason in run(content)[1]


def test_a_file_or_organization_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    assert "No such file or directory" in call(str(tmp_path / "absent.csv"))[1]
    assert "can't be read: Is a directory" in call(str(tmp_path))[1]
    with pytest.raises(CommandError, match="There is no organization 'other'; there are: acme."):
        call_command("import_records", "x.csv", organization="other")


def test_what_came_before_the_broken_end_of_a_file_is_kept(run: Run, made: CreatedOrganization) -> None:
    lines = "".join(f"x{number * 7919 % 1000003},2026-01-01T00:00:00Z\n" for number in range(20_000))
    whole = gzip.compress(f"type,timestamp\n{lines}".encode())
    counted, said = run(whole[: len(whole) // 2])
    assert "The file can't be read to its end" in said
    assert 5_000 < counted["accepted"] < 15_000
    assert len(stored(made)) == counted["accepted"]
    assert run(whole)[0] == figures(20_000 - counted["accepted"], counted["accepted"])


def test_gzip_a_byte_order_mark_and_other_delimiters_are_understood(run: Run) -> None:
    assert run(gzip.compress(b"\xef\xbb\xbftype;timestamp\na;2026-01-01T00:00:00Z\n"))[0] == figures(1)
    assert run("type\ttimestamp\nb\t2026-01-01T00:00:00Z\n")[0] == figures(1)
    assert run("type#timestamp\nc#2026-01-01T00:00:00Z\n", delimiter="#")[0] == figures(1)


def test_standard_input_is_read(made: CreatedOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b'{"type":"x"}\n')
    for content in (b'\n{"type":"y"}\n', packed):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert call("-")[0] == figures(1)


def test_times_without_an_offset_are_those_of_the_zone(run: Run, made: CreatedOrganization) -> None:
    content = (
        "type,timestamp\n"
        "winter,2026-01-15 12:00:00.1234567\n"
        "summer,2026-07-15T12:00:00\n"
        "skipped,2026-03-29 02:30:00\n"
        "twice,2025-10-26 02:30:00\n"
        "given,2026-01-15 12:00:00 +00\n"
    )
    counted, said = run(content, timezone="Europe/Berlin")
    assert counted == figures(4, 0, 1)
    assert "line 4, column timestamp: Invalid timestamp: the clock of Europe/Berlin skipped" in said
    assert {record.type: record.occurred_at for record in stored(made)} == {
        "winter": datetime(2026, 1, 15, 11, 0, 0, 123456, tzinfo=UTC),
        "summer": datetime(2026, 7, 15, 10, tzinfo=UTC),
        "twice": datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
        "given": datetime(2026, 1, 15, 12, tzinfo=UTC),
    }


def test_the_default_consumer_is_the_oldest_active_credential(run: Run, made: CreatedOrganization) -> None:
    second = create_credential(
        organization_id=made.organization.pk, name="B", scopes=["usage:write"]
    ).credential
    with tenant_scope(made.organization.pk):
        Credential.objects.filter(pk=made.issued.credential.pk).update(
            revoked_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
    assert importing(made.organization).credential_id == second.pk
    run("type\nx\n")
    assert only(made).credential_id == second.pk


def test_a_client_id_chooses_the_consumer_and_a_line_may_name_another(
    run: Run, made: CreatedOrganization
) -> None:
    first = made.issued.credential
    second = create_credential(
        organization_id=made.organization.pk, name="B", scopes=["usage:write"]
    ).credential
    content = f"type,clientId\na,\nb,{first.client_id}\nc,cl_unknown\n"
    counted, said = run(content, client_id=second.client_id)
    assert counted == figures(2, 0, 1)
    assert "line 4, column clientId: There is no credential 'cl_unknown' in this organization." in said
    assert {record.type: record.credential_id for record in stored(made)} == {"a": second.pk, "b": first.pk}


def test_an_organization_without_a_credential_takes_lines_that_name_none_only_with_a_reason(
    run: Run, made: CreatedOrganization
) -> None:
    with tenant_scope(made.organization.pk):
        Credential.objects.all().delete()
    counted, said = run("type\nx\n")
    assert counted == figures(0, 0, 1)
    assert "clientId is required when no key says whose use it is." in said


def test_the_batch_size_makes_no_difference(made: CreatedOrganization) -> None:
    lines = [(number, RecordIn(type="x", id=f"r{number % 70}")) for number in range(100)]
    for size in (1, 7, 1000):
        tally = running.Tally()
        running.run(lines, importing(made.organization), tally.add, size=size)
        assert tally.accepted + tally.duplicates == 100
    assert len(stored(made)) == 70


def test_pending_rows_are_folded_on_the_way(
    made: CreatedOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds: list[None] = []
    monkeypatch.setattr(running, "fold_pending", lambda: folds.append(None))
    monkeypatch.setattr(running, "FOLD_AFTER", 2)
    lines = [(number, RecordIn(type="x")) for number in range(9)]
    running.run(lines, importing(made.organization), lambda outcome: None, size=2)
    assert len(folds) == 3


def test_an_interruption_tells_what_is_there_and_how_to_go_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "type\n" + "x\n" * 6_000
    taken = pipeline.ingest

    def once(batch: Any) -> Any:
        monkeypatch.setattr(running, "ingest", interrupted)
        return taken(batch)

    def interrupted(batch: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "ingest", once)
    counted, said = run(content)
    assert counted == figures(5_000)
    assert said.endswith("Interrupted. Run it again to go on: what is there is not taken in twice.")
    monkeypatch.setattr(running, "ingest", taken)
    assert run(content)[0] == figures(1_000, 5_000)


def test_a_database_that_goes_away_is_told_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(batch: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(running, "ingest", away)
    assert run("type\nx\n")[1].endswith(
        "The database does not answer. Run it again to go on: what is there is not taken in twice."
    )


def test_the_figures_are_printed_for_people_too(made: CreatedOrganization, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("type\nx\ny\n")
    out, err = io.StringIO(), io.StringIO()
    call_command("import_records", str(path), organization="acme", stdout=out, stderr=err, verbosity=0)
    assert out.getvalue().split() == ["accepted", "2", "duplicates", "0", "rejected", "0"]
    assert err.getvalue() == ""


def test_the_arguments_are_those_of_a_shell(made: CreatedOrganization, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("kind,p,when\nx,7,2026-01-15 12:00:00\n")
    line = (
        f"{path} --organization acme --map type=kind --map tokens.prompt=p --map timestamp=when --set model=m"
    )
    arguments = [*line.split(), "--set", "meta.source=a file", "--timezone", "Europe/Berlin", "--no-progress"]
    call_command("import_records", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    record = only(made)
    assert (record.type, record.prompt_tokens, record.model, record.meta) == (
        "x",
        7,
        "m",
        {"source": "a file"},
    )
    assert record.occurred_at == datetime(2026, 1, 15, 11, tzinfo=UTC)


def test_a_bar_is_shown_on_a_terminal_unless_it_is_unwanted(
    made: CreatedOrganization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    drawn = io.StringIO()
    monkeypatch.setattr(report, "Console", lambda stderr: Console(file=drawn, force_terminal=True, width=120))
    path = tmp_path / "a.csv"
    path.write_text("type\nx\ny\n")
    for options, bar in (({"no_progress": True}, False), ({}, True)):
        call_command(
            "import_records",
            str(path),
            organization="acme",
            stdout=io.StringIO(),
            stderr=Terminal(),
            **options,
        )
        assert ("accepted" in drawn.getvalue()) is bar


def test_no_bar_is_drawn_without_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(**options: Any) -> Any:
        raise AssertionError("a bar was drawn")

    monkeypatch.setattr(report, "Console", drawn)
    assert run("type\nx\n")[0] == figures(1)
