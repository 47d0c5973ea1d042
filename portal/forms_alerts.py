"""The forms of the pages of alerts."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from alerts.channels.targets import MOST
from alerts.models import Condition, Kind, ScopeKind, Severity, Span
from alerts.rules import terms
from alerts.rules.serializers import CHOSEN
from alerts.rules.services import DEFAULT_HYSTERESIS, DEFAULT_QUIET_MINUTES
from core.problems import Problem
from portal.forms import PlainForm
from portal.reading.channels import EXAMPLES
from usage.queries.metrics import METRIC_PATTERN

_SAID: Final = {
    Condition.SHARE: "At or above a share of the limit",
    Condition.RISES: "Rises compared with the previous period",
    Condition.FALLS: "Falls compared with the previous period",
    Condition.FORECAST_SHARE: "Forecast to reach a share of the spend limit",
    Condition.ANOMALY: "Unusual compared with previous weeks",
}
_CONDITIONS: Final = [(name, _SAID.get(Condition(name), label)) for name, label in CHOSEN]
"""The conditions that can be chosen, in the words of the page."""


class ChannelForm(PlainForm):
    """A channel of one kind: what it is called, and where it leads, as the kind has it.

    With ``changes``, an empty address leaves the one that is kept, which is never shown.
    """

    name = forms.CharField(label="Name", max_length=100, help_text="Shown in alerts and in the delivery log.")
    target = forms.CharField(
        label="Address", max_length=MOST, widget=forms.TextInput({"autocomplete": "off"})
    )

    def __init__(self, *args: Any, kind: str, changes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        target = self.fields["target"]
        target.required = not changes
        example = EXAMPLES[kind]
        target.help_text = f"For example {example}"
        if changes:
            target.help_text = f"Leave empty to keep it. {target.help_text}"
        if kind == Kind.EMAIL:
            target.label = "E-mail address"

    @property
    def where(self) -> dict[str, str]:
        """Where the channel leads, by the name that its kind has for it; nothing to leave it."""
        given = self.cleaned_data["target"]
        return {("address" if self.kind == Kind.EMAIL else "url"): given} if given else {}

    def blame(self, problem: Problem) -> None:
        """Say what is wrong with the address at its field, whatever the kind calls it."""
        for error in problem.errors:
            is_where = error.pointer in ("/url", "/address")
            self.add_error("target" if is_where else None, error.detail)
        if not problem.errors:
            self.add_error(None, problem.detail)


class RuleForm(PlainForm):
    """What is to be told; ``built_in`` is the condition of a rule that every organization has.

    What such a rule is about stays, and it is asked for nothing that its condition has no use for.
    """

    name = forms.CharField(label="Name", max_length=100)
    metric = forms.RegexField(
        f"^({METRIC_PATTERN})$",
        label="Metric",
        error_messages={"invalid": "Choose a metric from the list, or enter quantities. and a name."},
        max_length=100,
        widget=forms.TextInput({"list": "metrics", "autocomplete": "off"}),
        help_text="For example requests, errorRate, cost, latency.p95, or the name of a quantity.",
    )
    condition = forms.ChoiceField(label="Condition", choices=_CONDITIONS)
    thresholds = forms.CharField(
        label="Thresholds",
        max_length=300,
        required=False,
        help_text="One or several, separated by commas. Percentages for rates, shares and changes.",
    )
    window = forms.ChoiceField(label="Window", choices=[("", "No window"), *Span.choices], required=False)
    scope_kind = forms.ChoiceField(label="Applies to", choices=ScopeKind.choices)
    scope_value = forms.CharField(
        label="Only this one (optional)",
        max_length=200,
        required=False,
        help_text="A model, endpoint, capability or a key's Client ID. Leave empty to check each on its own.",
    )
    severity = forms.ChoiceField(label="Severity", choices=Severity.choices, initial=Severity.WARNING)
    channels = forms.MultipleChoiceField(
        label="Notify", choices=[], required=False, widget=forms.CheckboxSelectMultiple
    )
    least_requests = forms.IntegerField(
        label="Minimum requests",
        required=False,
        min_value=0,
        help_text="Windows with fewer are not evaluated. Empty: 20 for rates and changes, otherwise none.",
    )
    hysteresis = forms.CharField(label="Recovery margin, %", initial=str(DEFAULT_HYSTERESIS), max_length=6)
    quiet_minutes = forms.IntegerField(label="Cooldown, minutes", initial=DEFAULT_QUIET_MINUTES, min_value=0)

    def __init__(
        self,
        *args: Any,
        channels: list[tuple[str, str]],
        built_in: Condition | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        told: Any = self.fields["channels"]
        told.choices = channels
        if built_in is not None:
            self._keep_to(built_in)

    def _keep_to(self, condition: Condition) -> None:
        unused = ["metric", "condition", "scope_kind", "scope_value"]
        windows = terms.WINDOWS.get(condition)
        if windows is None:
            unused += ["window", "least_requests"]
        else:
            self.fields["window"] = forms.ChoiceField(
                label="Window", choices=[(one.value, one.label) for one in windows]
            )
        if not terms.has_threshold(condition):
            unused.append("thresholds")
        for name in unused:
            del self.fields[name]

    @property
    def wanted(self) -> dict[str, Any]:
        """The rule as the API takes it."""
        given = self.cleaned_data
        found = {
            "name": given["name"],
            "severity": given["severity"],
            "hysteresis": given["hysteresis"],
            "quietMinutes": given["quiet_minutes"],
            "channels": given["channels"],
        }
        if "window" in given:
            found["window"] = given["window"] or None
        if "thresholds" in given:
            found["threshold"] = [one.strip() for one in given["thresholds"].split(",") if one.strip()]
        if given.get("least_requests") is not None:
            found["leastRequests"] = given["least_requests"]
        if "metric" in given:
            found |= {"metric": given["metric"], "condition": given["condition"]}
            scope = {"kind": given["scope_kind"]}
            found["scope"] = scope | ({"value": given["scope_value"]} if given["scope_value"] else {})
        return found

    def blame(self, problem: Problem) -> None:
        """Say what is wrong at the fields, which the API calls otherwise."""
        for error in problem.errors:
            name = _NAMES.get(error.pointer) or _NAMES.get(f"/{error.pointer.split('/')[1]}")
            self.add_error(name if name in self.fields else None, error.detail)
        if not problem.errors:
            self.add_error(None, problem.detail)


_NAMES: Final = {
    "/name": "name",
    "/metric": "metric",
    "/condition": "condition",
    "/scope": "scope_value",
    "/scope/kind": "scope_kind",
    "/window": "window",
    "/threshold": "thresholds",
    "/severity": "severity",
    "/leastRequests": "least_requests",
    "/hysteresis": "hysteresis",
    "/quietMinutes": "quiet_minutes",
    "/channels": "channels",
}
"""The fields by the members of the API's document."""
