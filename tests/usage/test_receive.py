"""POST /records as HTTP: who may send, in what form, how much."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db.utils import OperationalError
from django.test import Client

from organizations.door import recall
from organizations.models import Credential, Organization, User
from organizations.services import change_plan, create_organization, revoke_credential
from organizations.tenancy import system_scope, tenant_scope
from tests.serving import Server
from tests.usage.factories import Api, Tenant, make_tenant, record
from usage import receive
from usage.models import Record
from usage.receive import MAX_BYTES

pytestmark = pytest.mark.django_db

NDJSON = "application/x-ndjson"
EVENTS = "application/cloudevents-batch+json"
EVENT = {"specversion": "1.0", "id": "1", "source": "/bots", "type": "task.execution"}
# Without the time, so that the names of the tests stay the same.
PACKED = gzip.compress(b"[]", mtime=0)


def padded(size: int) -> bytes:
    """Return a body of exactly that size with one record."""
    body = json.dumps([record("padded")]).encode()
    return body[:-1] + b" " * (size - len(body)) + b"]"


def test_each_media_type_is_taken(api: Api) -> None:
    sent = [
        api.send(record("json")),
        api.send(b'{"type": "a", "id": "line"}\n{"type": "a", "id": "line 2"}\n', content_type=NDJSON),
        api.send(EVENT, content_type="application/cloudevents+json"),
        api.send([{**EVENT, "id": "2"}, {**EVENT, "id": "3"}], content_type=EVENTS),
        api.send(
            {"tokens": {"prompt": 5}},
            **{"CE-SpecVersion": "1.0", "CE-Id": "4", "CE-Source": "/bots", "CE-Type": "task.execution"},
        ),
    ]
    assert [(answer.status, answer.body["accepted"]) for answer in sent] == [
        (200, 1), (200, 2), (200, 1), (200, 2), (200, 1),
    ]  # fmt: skip
    assert sorted(api.get("/records").ids) == [
        "/bots#1",
        "/bots#2",
        "/bots#3",
        "/bots#4",
        "json",
        "line",
        "line 2",
    ]
    read = api.get("/records//bots%231")
    assert (read.status, read.body["id"], read.body["type"]) == (200, "/bots#1", "task.execution")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml", "multipart/form-data"])
def test_other_media_types_are_a_415_that_lists_the_accepted(api: Api, content_type: str) -> None:
    answer = api.send(b"{}", content_type=content_type)
    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Accept-Post"].split(", ") == [
        "application/json",
        "application/x-ndjson",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"nonsense", b'{"type": "\xff"}'])
def test_a_body_that_can_not_be_read_is_a_400(api: Api, body: bytes) -> None:
    answer = api.send(body)
    assert (answer.status, answer.body["code"][:9]) == (400, "malformed")


def test_a_gzipped_body_is_read(api: Api) -> None:
    body = json.dumps([record("a"), record("b")]).encode()
    assert api.send(gzip.compress(body), Content_Encoding="gzip").body["accepted"] == 2


def test_a_gzipped_body_may_have_several_members(api: Api) -> None:
    members = [gzip.compress(json.dumps(record(name)).encode() + b"\n") for name in "abc"]
    assert api.send(b"".join(members), content_type=NDJSON, Content_Encoding="GZIP").body["accepted"] == 3


@pytest.mark.parametrize(
    "packed",
    [b"not gzip", PACKED[:-9], PACKED + b"tail", zlib.compress(b"[]"), b""],
)
def test_a_body_that_is_not_gzip_is_a_400(api: Api, packed: bytes) -> None:
    answer = api.send(packed, Content_Encoding="gzip")
    assert (answer.status, answer.body["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_other_encodings_are_a_415_that_names_gzip(api: Api, encoding: str) -> None:
    answer = api.send(b"{}", Content_Encoding=encoding)
    assert (answer.status, answer.body["code"]) == (415, "unsupported_encoding")
    assert answer.body["detail"].endswith("accepted: gzip, identity.")
    assert answer.headers["Accept-Encoding"] == "gzip"


def test_sixteen_mebibytes_are_taken_and_one_byte_more_is_a_413(api: Api) -> None:
    assert api.send(padded(MAX_BYTES)).body["accepted"] == 1
    answer = api.send(padded(MAX_BYTES + 1))
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    assert answer.body["detail"] == "A request holds at most 16 MiB, also when it is unpacked."


def test_the_limit_also_holds_for_what_unpacks(api: Api) -> None:
    assert api.send(gzip.compress(padded(MAX_BYTES), 1), Content_Encoding="gzip").body["accepted"] == 1
    answer = api.send(gzip.compress(padded(MAX_BYTES + 1), 1), Content_Encoding="gzip")
    assert (answer.status, answer.body["code"]) == (413, "too_large")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[int] = []
    original = zlib.decompressobj

    class Watched:
        def __init__(self, wbits: int) -> None:
            self._stream = original(wbits=wbits)

        def decompress(self, packed: bytes, limit: int) -> bytes:
            result = self._stream.decompress(packed, limit)
            unpacked.append(len(result))
            return result

    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**24)) for _ in range(16)) + packer.flush()
    monkeypatch.setattr("usage.receive.zlib.decompressobj", Watched)
    answer = api.send(bomb, Content_Encoding="gzip")
    assert (answer.status, answer.body["code"], len(bomb) < MAX_BYTES) == (413, "too_large", True)
    assert sum(unpacked) == MAX_BYTES + 1


def test_many_bombs_in_a_row_are_one(api: Api) -> None:
    answer = api.send(gzip.compress(bytes(2**23)) * 3, Content_Encoding="gzip")
    assert answer.status == 413


def test_a_length_beyond_the_limit_is_refused_without_reading(acme: Tenant) -> None:
    client = Client(headers={"authorization": f"Bearer {acme.api.key}"})
    response = client.generic(
        "POST", "/api/v1/records", b"{}", content_type="application/json", CONTENT_LENGTH=str(MAX_BYTES + 1)
    )
    assert response.status_code == 413


@pytest.mark.parametrize("content_type", ["application/json", NDJSON])
def test_ten_thousand_records_are_taken_and_one_more_is_a_413(api: Api, content_type: str) -> None:
    lines = [b'{"type":"a","id":"%d"}' % number for number in range(10_001)]

    def body(number: int) -> bytes:
        some = lines[:number]
        return b"\n".join(some) if content_type == NDJSON else b"[" + b",".join(some) + b"]"

    answer = api.send(body(10_001), content_type=content_type)
    assert (answer.status, answer.body["code"]) == (413, "too_many_records")
    answer = api.send(body(10_000), content_type=content_type)
    assert (answer.status, answer.body["accepted"]) == (200, 10_000)
    assert api.get("/usage").body["requests"]["total"] == 10_000


def test_nobody_sends_without_a_key(acme: Tenant) -> None:
    response = Client().post("/api/v1/records", "{}", content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="Headroom"'


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer", "unauthorized"),
        ("Basic abc", "unauthorized"),
        ("Bearer hr_000000000000000000000000000000AAAAAA", "invalid_key"),
        ("Bearer nonsense", "invalid_key"),
    ],
)
def test_a_key_that_is_none_is_a_401(db: None, header: str, code: str) -> None:
    response = Client(headers={"authorization": header}).post(
        "/api/v1/records", "{}", content_type="application/json"
    )
    assert (response.status_code, response.json()["code"]) == (401, code)


def test_a_revoked_key_is_a_403(acme: Tenant) -> None:
    revoke_credential(organization_id=acme.id, client_id=acme.client_id)
    answer = acme.api.send(record("a"))
    assert (answer.status, answer.body["code"]) == (403, "credential_revoked")


GOOD = record("second")
BAD = record("second", count=-1)


@pytest.mark.parametrize("body", [GOOD, [GOOD], [BAD], b"{", [GOOD, BAD]])
def test_a_key_that_has_sent_before_is_refused_from_the_moment_it_is_revoked(acme: Tenant, body: Any) -> None:
    acme.api.keep(record("first"))
    assert recall(f"Bearer {acme.api.key}") is not None
    revoke_credential(organization_id=acme.id, client_id=acme.client_id)
    for _ in range(2):
        answer = acme.api.send(body)
        assert (answer.status, answer.body["code"]) == (403, "credential_revoked")
    with tenant_scope(acme.id):
        assert [found.record_id for found in Record.objects.all()] == ["first"]


def test_a_key_that_has_sent_before_loses_and_regains_its_scope_at_once(acme: Tenant) -> None:
    acme.api.keep(record("first"))
    statuses = []
    for scopes in (["usage:read"], ["usage:read"], ["usage:write"]):
        with system_scope():
            Credential.objects.filter(client_id=acme.client_id).update(scopes=scopes)
        statuses.append(acme.api.send(record(f"{scopes}")).status)
    assert statuses == [403, 403, 200]


def test_a_limit_that_is_raised_lets_in_at_once_who_has_sent_before(acme: Tenant) -> None:
    seen = []
    for limit, sent in ((2, 3), (4, 3)):
        with system_scope():
            Organization.objects.filter(pk=acme.id).update(requests_per_minute=limit)
        seen += [acme.api.send(record()) for _ in range(sent)]
    assert [answer.status for answer in seen] == [200, 200, 429, 200, 200, 429]
    policies = [answer.headers["RateLimit-Policy"] for answer in seen]
    assert policies == ['"permin";q=2;w=60'] * 3 + ['"permin";q=4;w=60'] * 3


def test_history_that_the_plan_has_lost_is_refused_at_once(acme: Tenant) -> None:
    old = (datetime.now(UTC) - timedelta(days=50)).isoformat()
    acme.api.keep(record("first", timestamp=old))
    with system_scope():
        change_plan(organization_id=acme.id, plan="free")
    answer = acme.api.send(record("second", timestamp=old))
    assert (answer.status, answer.errors[0]["code"]) == (422, "timestamp_before_history")


def test_a_signed_in_member_sends_with_a_csrf_token_and_names_the_client(db: None) -> None:
    made = create_organization(name="Acme", plan="enterprise", owner_email="owner@acme.example")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(email="owner@acme.example"))

    def send(body: dict[str, Any], **headers: str) -> tuple[int, Any]:
        response = client.post("/api/v1/records", body, content_type="application/json", headers=headers)
        return response.status_code, response.json()

    status, answer = send(record("a"))
    assert (status, answer["code"]) == (403, "csrf_failed")
    client.cookies["csrftoken"] = token = "t" * 32
    status, answer = send(record("a"), **{"X-CSRFToken": token})
    assert (status, answer["errors"][0]["pointer"]) == (422, "/clientId")
    status, answer = send(record("a", clientId=made.issued.credential.client_id), **{"X-CSRFToken": token})
    assert (status, answer["accepted"]) == (200, 1)


@pytest.mark.parametrize("path", ["/records", "/records/a"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_records_can_not_be_changed_or_removed(api: Api, path: str, method: str) -> None:
    api.keep(record("a"))
    answer = api.call(method, path, record("a", count=5))
    assert (answer.status, answer.body["code"]) == (405, "method_not_allowed")
    assert api.get("/records/a").body["count"] == 1


def test_one_record_is_not_a_place_to_post_to(api: Api) -> None:
    assert api.call("POST", "/records/a", record("a")).status == 405


def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_come_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(batch: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(receive, "ingest", away)
    answer = api.send(record("a"))
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")


def test_a_body_of_unknown_length_is_read_to_its_end(make_server: Callable[..., Server]) -> None:
    acme = make_tenant("Acme")
    address = urlsplit(make_server().url)
    assert address.hostname is not None
    headers = {"Authorization": f"Bearer {acme.api.key}", "Content-Type": NDJSON}

    def post(chunks: list[bytes]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        connection.request("POST", "/api/v1/records", iter(chunks), headers, encode_chunked=True)
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    lines = [json.dumps(record(f"r{number}")).encode() + b"\n" for number in range(50)]
    status, answer = post(lines)
    assert (status, answer["accepted"]) == (200, 50)
    status, answer = post([b" " * 2**20] * 17)
    assert (status, answer["code"]) == (413, "too_large")
    assert acme.api.get("/usage").body["requests"]["total"] == 50
