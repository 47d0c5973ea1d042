"""What the pages of spend limits show."""

from portal.reading.limits.history import KINDS, PAGE_SIZE, History, history
from portal.reading.limits.standing import LimitsPage, read
from portal.reading.limits.trial import TrialPage, trial

__all__ = ["KINDS", "PAGE_SIZE", "History", "LimitsPage", "TrialPage", "history", "read", "trial"]
