"""What services find wrong, said at the inputs of the operator's forms."""

import re
from collections.abc import Callable
from typing import Final

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from core.problems import Problem

_CAPITAL: Final = re.compile("([A-Z])")


def check_each(form: forms.BaseForm, *checks: tuple[Callable[..., None], tuple[str, ...]]) -> None:
    """Have services check what they take of a form, as far as it could be read; see `at_fields`."""
    given = form.cleaned_data
    for check, names in checks:
        if given.keys() >= set(names):
            try:
                check(*(given[name] for name in names))
            except Problem as problem:
                form.add_error(None, at_fields(problem, form))


def at_fields(problem: Problem, form: forms.BaseForm) -> ValidationError:
    """Return what a service found wrong, each fault at the input that it is about."""
    at: dict[str, list[str]] = {}
    for fault in problem.errors:
        name = _CAPITAL.sub(r"_\1", fault.pointer.removeprefix("/")).lower()
        at.setdefault(name if name in form.fields else NON_FIELD_ERRORS, []).append(fault.detail)
    return ValidationError(at or problem.detail)
