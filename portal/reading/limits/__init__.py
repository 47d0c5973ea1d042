"""What the pages of spend limits show."""

from portal.reading.limits.history import KINDS, History, history
from portal.reading.limits.standing import LimitsPage, read
from portal.reading.limits.trial import TrialPage, trial

__all__ = ["KINDS", "History", "LimitsPage", "TrialPage", "history", "read", "trial"]
