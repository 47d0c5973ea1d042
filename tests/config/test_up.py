"""One command starts everything, a second refuses or takes over, the end takes down just what was started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from config.embedded import EmbeddedPostgres, EmbeddedRedis
from config.up.claim import MARK
from tests.plugin import documented_variables
from tests.serving import free_port

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 240
"""A first start makes the demo: half a minute on a machine of its own."""


class Start:
    """One run of `python -m config.up` with a data directory and a port of its own."""

    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{port}"
        self.log = data.parent / f"up-{time.monotonic_ns()}.log"
        environment = {
            name: value for name, value in os.environ.items() if name not in documented_variables()
        }
        environment |= {
            "HEADROOM_ENV_FILE": os.devnull,
            "HEADROOM_DATA": str(data),
            "PORT": str(port),
            "WEB_WORKERS": "1",
            "WORKER_PROCESSES": "1",
            "STATIC_ROOT": str(data.parent / "static"),
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.up", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, text: str) -> str:
        """Wait until the terminal shows a text, and return everything shown so far."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.shown:
            assert self.process.poll() is None, self.shown
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.1)
        return self.shown

    @property
    def shown(self) -> str:
        return self.log.read_text()

    def supervised(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == str(self.data):
                    found.append(process)
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., Start]]:
    starts: list[Start] = []

    def make(*arguments: str, port: int | None = None) -> Start:
        starts.append(Start(place / "data", port or free_port(), *arguments))
        return starts[-1]

    yield make
    for one in starts:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        for process in one.supervised():
            process.kill()
    EmbeddedRedis(place / "data").stop()
    EmbeddedPostgres(place / "data").stop(immediate=True)


@pytest.mark.timeout(900)
def test_everything_starts_serves_is_taken_over_and_ends_together(
    start: Callable[..., Start], place: Path
) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    first = start()
    shown = first.wait_for("Ctrl-C ends everything")
    assert httpx.get(f"{first.url}/readyz").json()["status"] == "ready"

    demo = json.loads((place / "data" / "demo.json").read_text())
    assert demo["password"] in shown
    assert f"{first.url}/admin/" in shown
    assert demo["operator_password"] in shown
    assert (place / "data" / "demo.json").stat().st_mode & 0o777 == 0o600

    command = next(line for line in shown.splitlines() if line.startswith("curl "))
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert json.loads(answer.stdout) == {"accepted": 1, "duplicates": 0, "rejected": 0, "errors": []}

    second = start()
    assert second.process.wait(60) == 1
    assert second.shown.strip() == f"It is running already, with its data in {first.data}."

    assert len(first.supervised()) >= 4
    postgres = EmbeddedPostgres(first.data).process
    orphans = {process.pid for process in first.supervised()}
    first.process.kill()
    first.process.wait()
    assert orphans & {process.pid for process in first.supervised()}

    # The next start takes over what a killed one left, and keeps the data.
    third = start()
    shown = third.wait_for("Ctrl-C ends everything")
    assert EmbeddedPostgres(third.data).process == postgres
    assert not orphans & {process.pid for process in third.supervised()}
    assert demo["api_key"] in shown
    assert "Applying" not in shown

    assert len(third.supervised()) >= 4
    assert third.end() == 0
    # The worker ended its own children, each after the task it was at.
    assert "worker stopped (rc=0)" in third.shown
    assert "exited with 'signal" not in third.shown
    assert third.supervised() == []
    assert EmbeddedPostgres(third.data).process is None
    assert EmbeddedRedis(third.data).process is None
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_taken_port_is_named_before_anything_starts(start: Callable[..., Start], place: Path) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        refused = start(port=port)
        assert refused.process.wait(60) == 1
    assert f"127.0.0.1:{port} can't be listened on" in refused.shown
    assert not (place / "data" / "postgres").exists()


def test_the_servers_alone_can_be_started(start: Callable[..., Start]) -> None:
    services = start("--services-only")
    services.wait_for("Until Ctrl-C.")
    assert EmbeddedPostgres(services.data).process is not None
    assert EmbeddedRedis(services.data).process is not None
    services.process.terminate()
    assert services.process.wait(60) == 0
    assert EmbeddedPostgres(services.data).process is None
    assert EmbeddedRedis(services.data).process is None
