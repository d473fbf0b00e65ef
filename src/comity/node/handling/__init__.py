"""The obligations that came with what others told us.

`items` keeps what was said, `gate` decides each use, and `exits`, `reading` and `sending` ask it for what a command
gives back, a page shows and a message carries. `consent` and `answering` ask for more and answer; `retract`, `comply`
and `widen` are what originators change afterwards.
"""
