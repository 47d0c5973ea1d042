"""Forecasts: what a period will come to, what the next days will bring, and how sure that is."""
