"""A storm over four real nodes: processes that die, links that break, disks that fill, clocks that go wrong.

`field` founds and runs the nodes, `proxy` is the network between them, `weathered` is a node whose clock and
courier can be told to misbehave, `writer` says things and keeps a book of what it said, `director` decides by a
seed what goes wrong when, and `outside` looks at what is left with none of the product's code.
"""
