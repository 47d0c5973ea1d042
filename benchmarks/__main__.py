"""Measure (`python -m benchmarks [SUITE …] [--quick] [--write]`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from benchmarks import (
    authorizing,
    browsing,
    exports,
    figures,
    foreseeing,
    ingest,
    listing,
    machine,
    queries,
    readme,
    ruling,
)
from benchmarks.figures import Figure
from benchmarks.scale import FULL, QUICK, SMALLEST, Scale

SUITES: Final[dict[str, Callable[[Scale], list[Figure]]]] = {
    "ingest": ingest.measure,
    "authorize": authorizing.measure,
    "listing": listing.measure,
    "queries": queries.measure,
    "pages": browsing.measure,
    "exports": exports.measure,
    "forecasts": foreseeing.measure,
    "rules": ruling.measure,
}


def main(arguments: list[str]) -> int:
    """Measure what the command line asks for, and print it."""
    options = _parser().parse_args(arguments)
    scale = QUICK if options.quick else SMALLEST if options.smallest else FULL
    sys.stdout.write(f"{machine.describe()}\n")
    for name in options.suites or SUITES:
        found = figures.table(SUITES[name](scale))
        sys.stdout.write(f"\n{name}\n\n{found}\n")
        sys.stdout.flush()
        if options.write:
            readme.write(name, found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES], help="default: all")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a tenth of everything, for a first look")
    size.add_argument("--smallest", action="store_true", help="next to nothing, to see that it runs")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/README.md")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
