"""Scheduled reports: the figures of each week or month, sent once to whoever is to have them."""
