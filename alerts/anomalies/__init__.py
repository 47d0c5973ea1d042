"""Anomalies: hours that are unlike the same hours of the weeks before, and what drives them."""
