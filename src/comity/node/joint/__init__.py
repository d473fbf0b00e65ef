"""Joint work of several members: deconfliction, and the spaces that operations and teams share.

`deconflict` and `deconflict_heard` compare targets with one peer; `space` writes and hears entries of a shared space;
`operation` and `team` say what may be written in theirs. What is said is in `comity.casework.joint*`.
"""
