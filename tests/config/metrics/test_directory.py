"""The directory that one server's processes count in: made, found again, and removed with its server."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from config.metrics.directory import NAME, VARIABLE, counting, server_of, shared


@pytest.fixture(autouse=True)
def _not_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_processes_share_a_directory_while_the_server_runs(tmp_path: Path) -> None:
    assert shared() is None
    with counting(tmp_path) as directory:
        assert shared() == directory
        assert os.environ[VARIABLE] == str(directory)
        assert directory.stat().st_mode & 0o777 == 0o700
        server = server_of(directory)
        assert server is not None
        assert server.pid == os.getpid()
    assert shared() is None
    assert list((tmp_path / NAME).iterdir()) == []


def test_directories_of_servers_that_died_are_removed_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    init = psutil.Process(1)
    living = f"1-{init.create_time():.2f}"
    names = [living, f"1-{init.create_time() - 60:.2f}", "4194303-1.00", "nonsense"]
    for name in names:
        (tmp_path / NAME / name).mkdir(parents=True)
        (tmp_path / NAME / name / "counter_7.db").touch()
    with counting(tmp_path) as directory:
        assert {path.name for path in (tmp_path / NAME).iterdir()} == {living, directory.name}
    assert [path.name for path in (tmp_path / NAME).iterdir()] == [living]


def test_the_directory_goes_away_when_the_server_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), counting(tmp_path):
        raise RuntimeError
    assert list((tmp_path / NAME).iterdir()) == []
