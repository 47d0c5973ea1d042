"""A line of the log is one JSON object, with the request's id and without anybody's secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from config.logs import PER_TASK, logging_settings

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import logging.config, logging, structlog
from config import logs
logs.configure_structlog()
logging.config.dictConfig(logs.logging_settings(form="json", level="INFO"))
with structlog.contextvars.bound_contextvars(request_id="r-1"):
    structlog.get_logger("rooms").info("folded", rows=3)
    logging.getLogger("django.request").warning("Not Found: %s", "/x", extra={"status_code": 404})
def fail(api_key):
    raise ValueError("broken")
try:
    fail("hr_a_secret")
except ValueError:
    logging.getLogger("rooms").exception("failed")
"""


def lines() -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert "hr_a_secret" not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_is_an_object_whoever_wrote_it() -> None:
    folded, missing, failed = lines()
    assert (folded["event"], folded["rows"], folded["level"], folded["request_id"]) == (
        "folded",
        3,
        "info",
        "r-1",
    )
    assert (missing["event"], missing["status_code"], missing["request_id"]) == ("Not Found: /x", 404, "r-1")
    assert failed["event"] == "failed"
    assert "broken" in json.dumps(failed["exception"])


def test_the_level_is_the_one_asked_for() -> None:
    assert logging_settings(form="console", level="ERROR")["root"]["level"] == "ERROR"


@pytest.mark.parametrize(("level", "tasks"), [("DEBUG", "DEBUG"), ("INFO", "WARNING"), ("ERROR", "ERROR")])
def test_tasks_that_went_well_are_told_only_to_who_debugs(level: str, tasks: str) -> None:
    loggers = logging_settings(form="json", level=level)["loggers"]
    assert {loggers[name]["level"] for name in PER_TASK} == {tasks}


def test_an_answer_carries_the_requests_own_id(client: Client) -> None:
    response = client.get("/nowhere", headers={"x-request-id": "client-7"})
    assert response["X-Request-Id"] == "client-7"


def test_an_answer_gets_an_id_when_the_client_sent_none_or_nonsense(client: Client) -> None:
    given = client.get("/nowhere")["X-Request-Id"]
    replaced = client.get("/nowhere", headers={"x-request-id": "a\tb c"})["X-Request-Id"]
    assert len(given) == len(replaced) == 32
    assert given != replaced
