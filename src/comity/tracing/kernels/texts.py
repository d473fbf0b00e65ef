"""Fingerprints of many texts at once (FNV-1a, 64 bits, by bytes)."""

import numpy as np
import numpy.typing as npt

from comity.tracing.kernels.compiled import Column, kernel


@kernel
def fingerprints(begins: Column, letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return one number a text; `begins[i]` to `begins[i + 1]` are the bytes of text i. Different numbers prove
    different texts; the same number proves nothing.
    """
    found = np.empty(len(begins) - 1, np.uint64)
    for text in range(len(begins) - 1):
        mark = np.uint64(14695981039346656037)
        for at in range(begins[text], begins[text + 1]):
            mark = (mark ^ np.uint64(letters[at])) * np.uint64(1099511628211)
        found[text] = mark
    return found
