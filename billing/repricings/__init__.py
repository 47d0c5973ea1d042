"""Repricings as work in the background: asked for by the operator, with progress.

A request makes a row (`services`) and a message (`queue`); a worker claims the row, counts what there is to
price, and reprices one organization after the other (`run`), each step in one transaction with what is noted
of it (`parts`). The sweep starts what was never picked up and takes back what lost its worker (`sweep`).
"""
