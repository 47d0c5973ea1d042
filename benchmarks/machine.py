"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import psutil

from config.embedded import paths


def describe() -> str:
    """Return one line: processor, memory, PostgreSQL, Python, kernel."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {_postgres()}, "
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _postgres() -> str:
    command = [str(paths.postgres_programs() / "postgres"), "--version"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return answer.strip().replace("postgres (PostgreSQL)", "PostgreSQL")
