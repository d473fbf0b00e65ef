"""Real nodes in folders of a test: their own keys, databases, books and logs, a clock that the test moves, and
wires between them that lose, repeat and hold back. Nothing in here is a mock but the network and the time.
"""
