"""Letters: a matter's documents in the form that the instrument asks for, as PDF, with the message attached.

`compose` says what a letter says, `typeset` makes the PDF. Nothing here decides, sends or records anything.
"""
