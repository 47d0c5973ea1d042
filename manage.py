#!/usr/bin/env python
"""Run a management command."""

from __future__ import annotations

import os
import sys

from core.garbage import collect_seldom


def main() -> None:
    """Hand the command line to Django."""
    collect_seldom()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
