"""Organizations served by the same workers, threads and persistent connections never meet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from organizations.services import CreatedOrganization, create_organization
from tests.serving import Server

ROUNDS = 40


def served(server: Server, created: CreatedOrganization) -> list[set[str]]:
    """Ask for the organization's keys and its trail, over and over, and return whom each answer names."""
    seen = []
    headers = {"Authorization": f"Bearer {created.issued.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        for _ in range(ROUNDS):
            # A refused request in between must leave nothing behind on the connection either.
            assert client.post("/api/v1/keys", json={"name": ""}).status_code == 422
            keys = client.get("/api/v1/keys").raise_for_status().json()["items"]
            trail = client.get("/api/v1/audit?kind=organization").raise_for_status().json()["items"]
            seen.append({item["clientId"] for item in keys} | {entry["subject"] for entry in trail})
    return seen


@pytest.mark.django_db(transaction=True)
def test_answers_never_mix_whatever_connection_they_come_from(make_server: Callable[..., Server]) -> None:
    organizations = [
        create_organization(name="Same", plan="starter", owner_email=f"{number}@same.example")
        for number in range(4)
    ]
    server = make_server(workers=1, threads=2)
    with ThreadPoolExecutor(len(organizations)) as pool:
        answers = list(pool.map(lambda created: served(server, created), organizations))
    for created, seen in zip(organizations, answers, strict=True):
        own = {created.issued.credential.client_id, created.organization.slug}
        assert seen == [own] * ROUNDS
