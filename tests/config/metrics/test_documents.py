"""The scrape jobs that the documents hand out are ones, and the families they name exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as configured
from django.test import Client
from redis import Redis

from config import heartbeat
from tests.usage.factories import make_tenant
from tests.usage.scraping import read

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).resolve().parents[3] / "docs"
TOKEN = "the operator's own, of 40 characters at least"


@pytest.fixture(autouse=True)
def _served(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def test_the_scrape_jobs_ask_what_there_is() -> None:
    jobs = yaml.safe_load((DOCS / "prometheus.yml").read_text())["scrape_configs"]
    secrets = {"headroom": TOKEN, "headroom-usage": make_tenant("Acme").api.key}
    assert [job["job_name"] for job in jobs] == list(secrets)
    for job in jobs:
        assert set(job["authorization"]) == {"credentials_file"}
        headers = {"authorization": f"Bearer {secrets[job['job_name']]}"}
        assert Client().get(job["metrics_path"], headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("document", "path", "least"), [("usage.md", "/api/v1/metrics", 14), ("operations.md", "/metrics", 11)]
)
def test_every_family_that_is_documented_is_there(document: str, path: str, least: int) -> None:
    key = make_tenant("Acme").api.key
    with Redis.from_url(configured.REDIS_URL) as redis:
        heartbeat.beat(redis)
    client = Client(headers={"authorization": f"Bearer {TOKEN if path == '/metrics' else key}"})
    client.get("/api/v1/usage")
    response = client.get(path)
    seen = read(response.content, response["Content-Type"])
    cells = re.findall(r"^\| (`headroom_[^|]*) \|", (DOCS / document).read_text(), re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(headroom_[a-z_]+)`", cell)}
    there = set(seen.families) | {f"{name}_total" for name in seen.families}
    assert len(named) >= least
    assert named <= there | {f"{name}_info" for name in seen.families}
