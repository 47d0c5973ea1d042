"""Moments as the operator's admin writes them: ``14 Oct 2026, 09:30:05 UTC``; the portal writes its own."""

DATETIME_FORMAT = "j M Y, H:i:s T"
DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s"
