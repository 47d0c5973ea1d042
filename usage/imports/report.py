"""What an import tells: its refusals, each with its line, and how far it has come."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from usage.batch import Outcome
from usage.dialects.errors import RecordError
from usage.imports.errors import ImportProblem
from usage.imports.run import Tally
from usage.imports.source import Source

SHOWN: Final = 20
"""Refusals that are shown; the rest is counted."""


class Refusals:
    """Keeps the first refusals to show, and writes all of them to a file if there is one."""

    def __init__(self, columns: dict[str, str], file: TextIO | None = None) -> None:
        self._columns = columns
        self._file = file
        self.first: list[RecordError] = []
        self.number = 0

    def add(self, errors: tuple[RecordError, ...]) -> None:
        """Take in the refusals of a batch."""
        self.number += len(errors)
        self.first += errors[: SHOWN - len(self.first)]
        if self._file is not None:
            self._file.writelines(f"{json.dumps(self._facts(error))}\n" for error in errors)

    def texts(self) -> Iterator[str]:
        """Yield what to show of them, in the order of the lines."""
        for error in self.first:
            column = self._columns.get(error.pointer)
            place = f"line {error.index}" + (f", column {column}" if column else "")
            yield f"{place}: {error.detail}"
        if self.number > len(self.first):
            yield f"… and {self.number - len(self.first):,} more (--errors FILE writes all of them)"

    def _facts(self, error: RecordError) -> dict[str, object]:
        facts: dict[str, object] = {"line": error.index, "column": self._columns.get(error.pointer)}
        return facts | {name: value for name, value in error.as_dict().items() if name != "index"}


@contextmanager
def errors_file(name: str | None) -> Iterator[TextIO | None]:
    """Open the file that every refusal is written to, a JSON object a line.

    Raises: `ImportProblem` when it can't be written.
    """
    if name is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(name).open("w", encoding="utf-8"))
        except OSError as error:
            raise ImportProblem(f"{name} can't be written: {error.strerror}.") from error
        yield file


@contextmanager
def progress(source: Source, tally: Tally, *, shown: bool) -> Iterator[Callable[[Outcome], None]]:
    """Count the outcomes of batches, with a bar on standard error if it is to be shown."""
    if not shown:
        yield tally.add
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=source.size)

        def told(outcome: Outcome) -> None:
            tally.add(outcome)
            seen = f"{tally.accepted:,} accepted"
            bar.update(task, completed=source.position, description=seen)

        yield told
