"""Notifications on their way: written with their events, claimed by workers, attempted until they arrive."""
