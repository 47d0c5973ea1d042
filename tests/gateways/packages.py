"""The gateways' programs: installed ones, or Debian's packages unpacked beside the suite."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

PLACES: Final = ("/usr/sbin", "/usr/bin", "/usr/local/bin")
CACHE: Final = Path(tempfile.gettempdir()) / "headroom-gateways"


def program(name: str) -> Path:
    """Return the path of a program, which is also the name of the package that has it.

    Raises: RuntimeError when it can't be had: what needs a gateway must not pass without one.
    """
    installed = shutil.which(name) or shutil.which(name, path=":".join(PLACES))
    if installed is not None:
        return Path(installed)
    unpacked = CACHE / name
    if not unpacked.is_dir():
        _unpack(name, unpacked)
    return next(path for place in PLACES if (path := unpacked / place.lstrip("/") / name).is_file())


def _unpack(package: str, target: Path) -> None:
    CACHE.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=CACHE))
    try:
        if not _download(package, work):
            _run("apt-get", "update", "-qq", cwd=work)
            if not _download(package, work):
                raise RuntimeError(f"{package} is needed: install the package {package}.")
        (archive,) = work.glob("*.deb")
        subprocess.run(["dpkg", "-x", str(archive), str(work / "root")], check=True)
        # Whoever else did the same meanwhile has made the same.
        if not target.is_dir():
            (work / "root").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(package: str, into: Path) -> bool:
    return _run("apt-get", "download", "-qq", package, cwd=into) == 0


def _run(*command: str, cwd: Path) -> int:
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=120).returncode
    except (OSError, subprocess.TimeoutExpired):
        return -1
