"""What must be quick: loops over the columns of a book, compiled by Numba. Pure: arrays in, arrays out.

Nothing here knows of accounts, texts or laws. All amounts are 64-bit integers in minor units; where a product
does not fit, `exact.times_over` does without it. The modules import Numba, which takes a second: import them where
they are used, so that commands which follow no money stay quick.
"""
