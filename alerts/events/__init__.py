"""What happened that somebody wanted to be told of, and how it is raised."""

from alerts.events.drafts import Draft
from alerts.events.services import raise_event, raise_events, resolve_event, resolve_events

__all__ = ["Draft", "raise_event", "raise_events", "resolve_event", "resolve_events"]
