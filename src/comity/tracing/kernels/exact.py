"""Products that do not fit 64 bits, divided again, without leaving 64 bits."""

import numpy as np

from comity.tracing.kernels.compiled import Column, Number, kernel

_FITS = 9.0e18
"""Below 2^63 by more than a product of two floats can be wrong."""


@kernel
def times_over(a: Number, b: Number, c: Number) -> tuple[Number, Number]:
    """Return (a·b // c, a·b mod c) for 0 ≤ a, b and 0 < c, all below 2^63; the quotient must be, too.

    Where a·b does not fit: schoolbook multiplication by the binary digits of a, the remainder kept below c at each
    step by subtracting before adding.
    """
    if float(a) * float(b) < _FITS:
        product = a * b
        return product // c, product % c
    part, over = b // c, b % c
    quotient, rest = np.int64(0), np.int64(0)
    for bit in range(62, -1, -1):
        quotient += quotient
        if rest >= c - rest:
            quotient += 1
            rest -= c - rest
        else:
            rest += rest
        if (a >> bit) & 1:
            quotient += part
            if rest >= c - over:
                quotient += 1
                rest -= c - over
            else:
                rest += over
    return quotient, rest


@kernel
def place_of(values: Column, first: Number, stop: Number, wanted: Number) -> Number:
    """Return the first place in `values[first:stop]`, which rise, with `wanted` or more; `stop` if there is none."""
    while first < stop:
        middle = (first + stop) // 2
        if values[middle] < wanted:
            first = middle + 1
        else:
            stop = middle
    return first


@kernel
def place_after(values: Column, first: Number, stop: Number, wanted: Number) -> Number:
    """Return the first place in `values[first:stop]`, which rise, with more than `wanted`."""
    while first < stop:
        middle = (first + stop) // 2
        if values[middle] <= wanted:
            first = middle + 1
        else:
            stop = middle
    return first
