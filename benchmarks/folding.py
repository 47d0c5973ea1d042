"""Fold what is pending, again and again, as the worker does (`python -m benchmarks.folding SECONDS`)."""

from __future__ import annotations

import signal
import sys
import threading

import django


def main() -> None:
    """Fold every so many seconds, until a signal ends it."""
    pause = float(sys.argv[1])
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    django.setup()
    from usage.rollups.fold import fold_pending

    while not ending.wait(pause):
        fold_pending()


if __name__ == "__main__":
    main()
