"""The embedded PostgreSQL: made on first use, reached by a Unix socket only, reused if it runs already."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from config.embedded import account, paths, process
from config.embedded.process import Account, ServerError

# Crash recovery replays at most what lies between two checkpoints, but on a slow disk that takes minutes.
START_SECONDS = 600
FAST = ((signal.SIGINT, 60), (signal.SIGQUIT, 30), (signal.SIGKILL, 10))
IMMEDIATE = ((signal.SIGQUIT, 30), (signal.SIGKILL, 10))

SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "synchronous_commit": "on",
    "wal_compression": "pglz",
    "max_wal_size": "4GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "64",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_min_duration_statement": "'2s'",
    "log_lock_waits": "on",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    # Small tables that are rewritten all the time must be swept long before a fifth of them is dead.
    "autovacuum_naptime": "'15s'",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "1000",
}
DISPOSABLE = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "1GB", "autovacuum_naptime": "'60s'"}


class EmbeddedPostgres:
    """One PostgreSQL cluster under `data`; `durable=False` gives up surviving a power cut, for tests.

    Concurrency: one supervisor at a time; PostgreSQL's own lock file refuses a second server.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.directory = paths.postgres_directory(data)
        self.sockets = paths.socket_directory(data)
        self.log = data.resolve() / "postgres.log"
        self.durable = durable
        self._data = data
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process | None:
        """The running server of this cluster, whoever started it."""
        return process.find(self.directory / "postmaster.pid", self.directory)

    def url(self, *, user: str = paths.SUPERUSER, database: str = paths.DATABASE) -> str:
        """Return the URL of one of its databases."""
        return paths.postgres_url(self._data, user=user, database=database)

    def start(self) -> None:
        """Make the cluster if there is none, and see to it that its server answers.

        Raises: ServerError with the end of the log when it doesn't come up.
        """
        if self.process is None:
            self._launch()
        self._wait()

    def stop(self, *, immediate: bool = False) -> None:
        """End the server in an orderly way, or at once as after a crash."""
        running = self.process
        if running is not None:
            process.stop(running, signals=IMMEDIATE if immediate else FAST)
        if self._child is not None:
            self._child.wait(10)
            self._child = None

    def _launch(self) -> None:
        owner = account.postgres_account()
        programs = paths.postgres_programs()
        self._prepare_directories(owner, programs)
        if not (self.directory / "PG_VERSION").exists():
            self._initialize(owner, programs)
        self._write_settings()
        self._discard_foreign_lock()
        arguments = [str(programs / "postgres"), "-D", str(self.directory), "-k", str(self.sockets)]
        self._child = process.spawn(arguments, log=self.log, account=owner)

    def _prepare_directories(self, owner: Account | None, programs: Path) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(self.sockets)
        if owner is not None:
            account.open_path(self.directory)
            account.open_path(self.sockets)
            account.open_programs(programs)
            os.chown(self.sockets, owner.uid, owner.gid)

    def _initialize(self, owner: Account | None, programs: Path) -> None:
        # Made under another name first, so that an interrupted start leaves no half a cluster behind.
        making = self.directory.with_name("postgres.new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        if owner is not None:
            os.chown(making, owner.uid, owner.gid)
        command = [str(programs / "initdb"), "-D", str(making), "-U", paths.SUPERUSER, "--auth=trust"]
        command += ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--no-instructions"] if self.durable else ["--no-instructions", "--no-sync"]
        made = process.run(command, account=owner)
        if made.returncode != 0:
            raise ServerError(f"PostgreSQL's cluster could not be made.\n{made.stdout}{made.stderr}")
        with (making / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude = 'headroom.conf'\n")
        making.rename(self.directory)

    def _write_settings(self) -> None:
        settings = SETTINGS | memory_settings() | ({} if self.durable else DISPOSABLE)
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        header = (
            "# Written at every start. Settings of your own: ALTER SYSTEM SET, which comes after this file.\n"
        )
        written = self.directory / "headroom.conf"
        written.write_text(header + lines)
        # Readable by whoever PostgreSQL runs as, whatever the umask; the directory is that user's alone.
        written.chmod(0o644)

    def _discard_foreign_lock(self) -> None:
        # After a crash the number in the lock file may be that of another program, which PostgreSQL would
        # take for a running server. While a process works in the directory, the file is left alone.
        lock = self.directory / "postmaster.pid"
        if lock.exists() and not _anyone_in(self.directory):
            lock.unlink()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._child is not None and self._child.poll() is not None and self.process is None:
                raise ServerError(f"PostgreSQL did not start.\n{process.last_lines(self.log)}")
            if time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL is not ready.\n{process.last_lines(self.log)}")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.process is not None


def memory_settings() -> dict[str, str]:
    """Return the memory settings: half a gigabyte of buffers, less on a machine that has less than two."""
    total = psutil.virtual_memory().total // 2**20
    buffers = max(64, min(512, total // 4))
    return {
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(buffers, total // 2)}MB",
        "maintenance_work_mem": f"{max(32, min(256, total // 16))}MB",
        "work_mem": "16MB",
    }


def make_private(directory: Path) -> None:
    """Make a directory that is only its user's, refusing one that somebody else put there.

    Raises: ServerError.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    accepted = {os.geteuid()}
    owner = account.postgres_account()
    if owner is not None:
        accepted.add(owner.uid)
    if directory.is_symlink() or directory.stat().st_uid not in accepted:
        raise ServerError(f"{directory} belongs to somebody else.")
    directory.chmod(0o700)


def _anyone_in(directory: Path) -> bool:
    return any(candidate.info["cwd"] == str(directory) for candidate in psutil.process_iter(["cwd"]))
