"""The victims' vault of a node: who may open it, what is done in it, and what of that the node's own log says.

Its data, keys and passphrase are apart from the node's (`vault/` in its directory); a running node needs none of them.
`acts` says in which order vault and log are written; the other modules are what a victim-support officer does.
"""
