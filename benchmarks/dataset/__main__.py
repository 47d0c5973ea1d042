"""Make the records of the cluster in the environment (`python -m benchmarks.dataset ROWS ORGANIZATIONS`)."""

from __future__ import annotations

import sys

import django


def main() -> None:
    """Make them, saying how far it has come."""
    django.setup()
    from benchmarks.dataset.build import build

    build(*map(int, sys.argv[1:]))


if __name__ == "__main__":
    main()
