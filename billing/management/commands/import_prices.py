"""Read a price list into the price book."""

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.pricelists import genai, litellm
from billing.pricelists.importer import Imported, import_listing
from billing.pricelists.listing import Listing
from core.moments import parse_moment
from organizations.validators import validate_currency

SOURCES = (genai.SOURCE, litellm.SOURCE)


class Command(BaseCommand):
    """Adds what is new, supersedes what has changed, and says what was left out and why."""

    help = "Read a price list into the price book; it can be run again at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add("--source", choices=SOURCES, default=genai.SOURCE, help="default: %(default)s, as installed")
        add("--file", metavar="FILE", help="LiteLLM's map of model prices; needed for that source")
        add("--currency", default="USD", help="what the book's amounts are of; default: %(default)s")
        add(
            "--exchange-rate",
            metavar="FACTOR",
            help="what a unit of the list's currency is of --currency; default: 1",
        )
        add(
            "--from",
            dest="since",
            metavar="MOMENT",
            help="when the prices begin; default: new models with their first price, changed ones now",
        )
        add("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it and print what it did.

        Raises: CommandError when an argument or the file can't be read.
        """
        try:
            since = None if options["since"] is None else parse_moment(options["since"])
            exchange_rate = _factor(options["exchange_rate"])
            validate_currency(options["currency"])
            listing = _read(options["source"], options["file"])
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        done = import_listing(
            listing,
            source=options["source"],
            currency=options["currency"],
            since=since,
            exchange_rate=exchange_rate,
        )
        self.stdout.write(json.dumps(_object(done)) if options["json"] else _text(done, options["verbosity"]))


def _factor(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        factor = Decimal(text)
    except InvalidOperation:
        factor = Decimal(0)
    if not factor.is_finite() or factor <= 0:
        raise ValueError(f"{text!r} is not an exchange rate")
    return factor


def _read(source: str, file: str | None) -> Listing:
    if source == genai.SOURCE:
        if file is not None:
            raise ValueError("genai-prices is read as it is installed: --file is for litellm")
        return genai.read()
    if file is None:
        raise ValueError("--source litellm needs --file")
    with Path(file).open("rb") as opened:
        return litellm.read(opened)


def _object(done: Imported) -> dict[str, Any]:
    return {
        "added": done.added,
        "changed": done.changed,
        "kept": done.kept,
        "gone": done.gone,
        "skipped": [{"model": model, "reason": reason} for model, reason in done.listing.skipped],
        "leftOut": dict(done.listing.left_out.most_common()),
    }


def _text(done: Imported, verbosity: int) -> str:
    figures = {"added": done.added, "changed": done.changed, "kept": done.kept, "no longer listed": done.gone}
    lines = [", ".join(f"{number:,} {name}" for name, number in figures.items()) + "."]
    reasons: dict[str, list[str]] = {}
    for model, reason in done.listing.skipped:
        reasons.setdefault(reason if verbosity > 1 else reason.partition(" as ")[0], []).append(model)
    lines += [f"Skipped {len(names):,}: {reason}, e.g. {names[0]}" for reason, names in reasons.items()]
    if done.listing.left_out:
        lines.append("Left out of prices, since the book has no word for it:")
        lines += [f"  {name}: {number:,} times" for name, number in done.listing.left_out.most_common()]
    return "\n".join(lines)
