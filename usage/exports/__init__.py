"""Exports: an organization's records and rollups as files, made in the background.

A request makes a row (`services`) and a message (`queue`); a worker claims the row, writes the file (`run`)
and keeps saying that it is alive (`pulse`); the sweep starts what was never picked up, takes back what lost
its worker and removes what expired (`sweep`). What can be exported is listed in the settings (`datasets`).
"""
