"""Imports of uploaded files: looked at in the portal, taken in in the background.

An upload makes a row and a file (`services`); what its columns are is chosen (`choice`) with its first lines
in view (`sample`, `preview`). Then a worker claims the row, takes the lines in (`job`) and keeps saying that
it is alive; the sweep starts what was never picked up, takes back what lost its worker, and removes what
expired (`sweep`).
"""
