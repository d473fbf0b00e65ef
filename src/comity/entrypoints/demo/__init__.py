"""`comity demo`: a stolen payment replayed on real nodes, and checked against the truth and a pooled trace.

`cast` says who takes part, `stage` builds nodes and starts their processes, `play` reports the theft, kills
one node in the middle and waits for the end, `verdict` checks everything, `screen` shows it.
"""
