"""A client that is generated from the OpenAPI document works as it comes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from core import clock
from organizations.roles import ALL_SCOPES
from tests.contracts.document import document
from tests.contracts.fuzzing import one_transaction
from tests.usage.exports import support
from tests.usage.factories import Tenant, make_tenant
from usage import partitions
from usage.rollups.fold import fold_pending

PACKAGE: Final = "generated_client"


def generated(place: Path) -> Path:
    """Generate the client, without a warning, and return its package's directory."""
    written, config = place / "openapi.json", place / "config.json"
    written.write_text(json.dumps(for_the_generator(document())))
    config.write_text(json.dumps({"post_hooks": []}))
    command = ["generate", "--path", str(written), "--config", str(config), "--meta", "none"]
    target = place / PACKAGE
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "openapi-python-client"),
            *command,
            "--output-path",
            str(target),
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "WARNING" in done.stdout) == (0, False), done.stdout + done.stderr
    return target


def for_the_generator(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the document with records in JSON alone.

    The generator tells bodies of different media types apart by their Python types, which it can't do with
    lists: what it writes for them is no valid program.
    """
    found: dict[str, Any] = json.loads(json.dumps(whole))
    content = found["paths"]["/api/v1/records"]["post"]["requestBody"]["content"]
    for media_type in content.keys() - {"application/json"}:
        del content[media_type]
    return found


@dataclass(frozen=True, slots=True)
class Generated:
    """The generated package, and a client of it."""

    client: Any
    tenant: Tenant

    def call(self, place: str, **arguments: Any) -> Any:
        """Call an operation, and return its answer as the client has parsed it."""
        return self.detailed(place, **arguments).parsed

    def detailed(self, place: str, **arguments: Any) -> Any:
        """Call an operation, and return the answer with its status."""
        module = importlib.import_module(f"{PACKAGE}.api.{place}")
        return module.sync_detailed(client=self.client, **arguments)

    def model(self, name: str) -> Any:
        """Return one of the package's models."""
        return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


@pytest.fixture
def used(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generated]:
    """The client, with a key that may do all."""
    partitions.forget()
    generated(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    tenant = make_tenant("Acme").another_credential("Generated", scopes=ALL_SCOPES)
    with one_transaction() as application:
        package = importlib.import_module(PACKAGE)
        client = package.AuthenticatedClient(
            base_url="http://localhost",
            token=tenant.api.key,
            raise_on_unexpected_status=True,
            httpx_args={"transport": httpx.WSGITransport(app=application)},
        )
        yield Generated(client, tenant)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    partitions.forget()


def test_what_is_sent_is_found_in_every_answer(used: Generated) -> None:
    record = used.model("RecordInput").from_dict(
        {"id": "call-1", "type": "task.run", "model": "large", "tokens": {"prompt": 5, "completion": 7}}
    )
    outcome = used.call("records.create_records", body=[record, used.model("RecordInput")(type_="x")])
    assert (outcome.accepted, outcome.rejected) == (2, 0)
    fold_pending()

    (page,) = [used.call("records.list_records", model="large", take=10)]
    assert [(item.id, item.tokens.total, item.client_id) for item in page.items] == [
        ("call-1", 12, used.tenant.client_id)
    ]
    assert used.call("records.get_record", record_id="call-1").type_ == "task.run"

    start = clock.now() - timedelta(hours=1)
    assert used.call("usage.get_usage", from_=start).requests.total == 2
    total = used.model("QueryUsageGranularity").TOTAL
    answer = used.call(
        "usage.query_usage", from_=start, metrics="requests,tokens", group_by="model", granularity=total
    )
    assert [row.additional_properties for row in answer.rows] == [
        {"timestamp": None, "model": None, "requests": 1, "tokens": 0},
        {"timestamp": None, "model": "large", "requests": 1, "tokens": 12},
    ]
    assert used.call("usage.get_key_usage").usage.requests == 2
    assert [place.model for place in used.call("usage.get_model_usage").leaderboard] == [None, "large"]


def test_keys_and_exports_come_and_go(used: Generated) -> None:
    scopes = [used.model("ScopesEnum").USAGEREAD]
    made = used.call("keys.create_key", body=used.model("CredentialInputRequest")(name="New", scopes=scopes))
    assert made.api_key.startswith("hr_")
    assert used.call("keys.get_key", client_id=made.client_id).name == "New"
    assert used.detailed("keys.revoke_key", client_id=made.client_id).status_code == 204
    assert used.call("keys.get_key", client_id=made.client_id).revoked_at is not None

    body = used.model("ExportInputRequest").from_dict({"dataset": "records", "format": "csv"})
    asked = used.call("exports.request_export", body=body)
    assert asked.to_dict()["state"] == "queued", asked
    support.write(used.tenant, {"id": str(asked.id)})
    done = used.call("exports.get_export", export_id=asked.id)
    assert done.to_dict().get("state") == "done", done
    assert used.call("exports.download_export", export_id=asked.id).startswith("id,")


def test_problems_are_parsed(used: Generated) -> None:
    refused = used.detailed("records.list_records", cursor="made up")
    assert refused.status_code == 400
    assert (refused.parsed.code, refused.parsed.errors[0].pointer) == ("invalid_cursor", "/cursor")
    missing = used.call("records.get_record", record_id="none")
    assert (missing.status, missing.code) == (404, "not_found")
    bad = used.model("RecordInput")(type_="x" * 201)
    outcome = used.call("records.create_records", body=bad)
    assert (outcome.code, outcome.rejected, outcome.errors[0].pointer) == ("records_refused", 1, "/type")
