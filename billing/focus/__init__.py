"""Costs as FOCUS has them, the FinOps Open Cost and Usage Specification: versions 1.4 and 1.2.

`rows` says what a charge is in FOCUS's terms, `datasets` exports them.
"""
