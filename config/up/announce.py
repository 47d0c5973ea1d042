"""Print what is on standard input once the server answers (`python -m config.up.announce URL`)."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import httpx

PATIENCE_SECONDS = 60


def wait_until_ready(url: str, *, patience: float = PATIENCE_SECONDS) -> bool:
    """Wait until `/readyz` says so, or for as long as is sensible; return whether it did."""
    deadline = time.monotonic() + patience
    with httpx.Client(timeout=5) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if client.get(f"{url}/readyz").status_code == httpx.codes.OK:
                    return True
            time.sleep(0.2)
    return False


def main() -> None:
    """Wait for the server named on the command line, then print."""
    text = sys.stdin.read()
    if not wait_until_ready(sys.argv[1]):
        text = f"{sys.argv[1]}/readyz is not content yet; see the log above.\n{text}"
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
