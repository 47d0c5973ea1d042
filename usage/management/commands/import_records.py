"""Read usage records from a file into an organization."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.utils import InterfaceError, OperationalError

from organizations.tenancy import Caller
from usage.batch import Outcome
from usage.imports import mapping
from usage.imports.errors import ImportProblem
from usage.imports.fields import ACCEPTED
from usage.imports.importer import importing, organization_named
from usage.imports.ndjson import Objects
from usage.imports.opening import FORMATS, lines_of
from usage.imports.report import Refusals, errors_file, progress
from usage.imports.run import Tally, run
from usage.imports.source import open_source
from usage.imports.table import Table

AGAIN: Final = "Run it again to go on: what is there is not taken in twice."
INTERRUPTED: Final = 130
EPILOG: Final = f"""\
FIELD is one of: {ACCEPTED}.
Columns that are called like fields need no --map. An empty cell says nothing.

It can be run again: a record whose id is known is a duplicate and changes nothing. A line without an id
gets one from its content and its place among the lines, so the same file adds nothing a second time, lines
may be appended to it, and equal lines are records of their own.
"""


class Command(BaseCommand):
    """Takes in what can be read, tells which lines could not and why, and counts both."""

    help = "Read usage records from CSV or NDJSON, plain or gzip, into an organization."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add what the arguments alone don't say."""
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add("file", metavar="FILE", help="the file, or - for standard input")
        add("--organization", required=True, metavar="SLUG", help="whose usage it is")
        add("--client-id", metavar="ID", help="the credential that consumed it; default: the oldest active")
        add("--map", action="append", default=[], metavar="FIELD=COLUMN", help="where a field comes from")
        add("--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of every record")
        add(
            "--timezone",
            default="UTC",
            metavar="ZONE",
            help="what times without an offset mean (IANA name); default: UTC",
        )
        add("--format", choices=FORMATS, help="default: what the first line looks like")
        add("--delimiter", metavar="CHARACTER", help="of a CSV; default: what its header shows")
        add("--errors", metavar="FILE", help="write every refused line's number and reason here, as NDJSON")
        add("--no-progress", action="store_true", help="no bar; there is none without a terminal either")
        add("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it and print the figures.

        Raises: CommandError when it can't begin, can't go on, or no line could be read.
        """
        tally = Tally()
        try:
            self._import(tally, options)
        except ImportProblem as problem:
            self._figures(tally, options)
            raise CommandError(str(problem)) from problem
        except (OperationalError, InterfaceError) as error:
            self._figures(tally, options)
            raise CommandError(f"The database does not answer. {AGAIN}") from error
        except KeyboardInterrupt as error:
            self._figures(tally, options)
            raise CommandError(f"Interrupted. {AGAIN}", returncode=INTERRUPTED) from error
        self._figures(tally, options, always=True)
        if tally.fruitless:
            raise CommandError("No line could be taken in.")

    def _import(self, tally: Tally, options: dict[str, Any]) -> None:
        wanted = mapping.parse(options["map"], options["set"])
        caller = importing(organization_named(options["organization"]), options["client_id"])
        with ExitStack() as stack:
            source = stack.enter_context(open_source(options["file"]))
            lines = lines_of(
                source,
                wanted,
                timezone=options["timezone"],
                form=options["format"],
                delimiter=options["delimiter"],
            )
            self._note(lines, caller, options)
            refusals = Refusals(_columns(lines, wanted), stack.enter_context(errors_file(options["errors"])))
            shown = not options["no_progress"] and self.stderr.isatty()
            try:
                with progress(source, tally, shown=shown) as told:
                    run(lines, caller, _telling(told, refusals))
            finally:
                for text in refusals.texts():
                    self.stderr.write(text)
            if isinstance(lines, Objects) and lines.unseen:
                self.stderr.write(f"No line has: {', '.join(sorted(lines.unseen))}.")

    def _note(self, lines: Table | Objects, caller: Caller, options: dict[str, Any]) -> None:
        """Say how the file is understood, before it is taken in."""
        if options["verbosity"] == 0:
            return
        parts = []
        if isinstance(lines, Table):
            pairs = (f"{field.name} from {lines.header[place]}" for field, place in lines.bound)
            parts.append(f"Reading {', '.join(pairs) or 'no column'}.")
            if lines.left_out:
                parts.append(f"Left out: {', '.join(lines.left_out)}.")
            if all(field.name != "timestamp" for field, _ in lines.bound):
                parts.append("No column is the timestamp: every record is dated now.")
        parts.append(f"Times without an offset are {options['timezone']}.")
        if caller.client_id is not None:
            parts.append(f"Consumed by {caller.client_id} unless a line says otherwise.")
        if caller.plan.history_days is not None:
            parts.append(
                f"{caller.plan.name} keeps {caller.plan.history_days} days; retention removes the rest."
            )
        self.stderr.write(" ".join(parts))

    def _figures(self, tally: Tally, options: dict[str, Any], *, always: bool = False) -> None:
        figures = tally.as_dict()
        if not always and not any(figures.values()):
            return
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write("\n".join(f"{name:<10} {number:>12,}" for name, number in figures.items()))


def _telling(told: Callable[[Outcome], None], refusals: Refusals) -> Callable[[Outcome], None]:
    def both(outcome: Outcome) -> None:
        refusals.add(outcome.errors)
        told(outcome)

    return both


def _columns(lines: Table | Objects, wanted: mapping.Mapping) -> dict[str, str]:
    """Return the columns by the pointers of the fields that they fill."""
    if isinstance(lines, Table):
        return {field.pointer: lines.header[place] for field, place in lines.bound}
    return {field.pointer: column for field, column in wanted.columns}
