"""Patterns of laundering in a book of transfers: what they are, where they are, and why somebody should look.

Each file is one pattern: its definition, source, parameters and cost. Relational ones are one Ibis expression, which
runs on any engine (`ports.Engine`); path-like ones are kernels over columns. `ranker` orders what was found by a model
learned from labelled transfers. Pure but for the engine handed in: no file, no database, no clock.

Importing this package loads nothing heavy; its modules load Ibis, Numba or LightGBM.
"""
