"""What the rooms need from outside, each in a module of its own: files, databases, the network, clocks.

A backend implements a port that a room declares, or turns outside material into the model's values. Rooms never
import this package; `comity.node` and the command line wire the two together.
"""
