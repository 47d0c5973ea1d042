"""Moments as the operator's admin writes them: ``14 Oct 2026, 09:30:05 UTC``; the portal writes its own.

A day, and an hour with its zone, each stay on one line.
"""

DATETIME_FORMAT = "j\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}Y, H:i:s\N{NO-BREAK SPACE}T"
DATE_FORMAT = "j\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}Y"
TIME_FORMAT = "H:i:s"
