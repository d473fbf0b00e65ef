"""Fuzzers of every parser that reads what a peer, a log or a file sent.

`targets` names them with valid samples, `mutate` changes samples, `engine` runs them and keeps inputs that got
an answer nobody had got before. Short in the tests; as long as wanted by `python -m tests.fuzz --minutes 10`.
"""
